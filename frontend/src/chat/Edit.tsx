/** A message while its author changes it. */
import { Button, Group, Textarea } from "@mantine/core";
import { useState, type KeyboardEvent } from "react";
import { fits, tidy } from "./text";

interface Props {
  text: string;
  save: (text: string) => void;
  cancel: () => void;
}

export function Edit({ text, save, cancel }: Props) {
  const [value, setValue] = useState(text);
  const ready = fits(tidy(value));
  const done = () => {
    if (tidy(value) === text) cancel();
    else if (ready) save(tidy(value));
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      cancel();
    } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      done();
    }
  };
  return (
    <div>
      <Textarea
        aria-label="Edit message"
        autosize
        minRows={1}
        maxRows={12}
        value={value}
        autoFocus
        onFocus={(event) => event.currentTarget.setSelectionRange(text.length, text.length)}
        onChange={(event) => setValue(event.currentTarget.value)}
        onKeyDown={pressed}
        data-testid="edit-box"
      />
      <Group gap="xs" my={6}>
        <Button size="compact-sm" onClick={done} disabled={!ready}>
          Save
        </Button>
        <Button size="compact-sm" variant="subtle" color="gray" onClick={cancel}>
          Cancel
        </Button>
      </Group>
    </div>
  );
}
