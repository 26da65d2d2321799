/** A form that sends itself: busy while it does, and clear about what went wrong. */
import { useState, type FormEvent } from "react";
import { ApiError, sentence } from "../api/errors";

export interface Form<V> {
  values: V;
  busy: boolean;
  problem: string | null;
  field: (name: keyof V & string) => {
    name: string;
    value: string;
    error: string | null;
    onChange: (event: { currentTarget: { value: string } }) => void;
  };
  submit: (event: FormEvent) => void;
}

export function useForm<V extends Record<string, string>>(initial: V, send: (values: V) => Promise<void>): Form<V> {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const details = error instanceof ApiError ? error.details : [];
  const named = details.filter((item) => item.field in values);

  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      await send(values);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return {
    values,
    busy,
    problem: error === null || named.length > 0 ? null : sentence(error),
    field: (name) => ({
      name,
      value: values[name] ?? "",
      error: named.find((item) => item.field === name)?.problem ?? null,
      onChange: (event) => {
        const { value } = event.currentTarget;
        setValues((before) => ({ ...before, [name]: value }));
      },
    }),
    submit: (event) => {
      event.preventDefault();
      if (!busy) void run();
    },
  };
}
