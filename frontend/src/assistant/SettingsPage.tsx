/** What owners and admins choose for the assistant: its model, and how much it may use in a month. */
import { Button, Group, NumberInput, Progress, Select, Stack, Text } from "@mantine/core";
import { IconSparkles } from "@tabler/icons-react";
import { useCallback, useEffect, useState } from "react";
import { sentence } from "../api/errors";
import { assistant, type AssistantSettings } from "../api/assistant";
import { AdminsOnly, Placeholders, Problem } from "../shell/Page";
import shell from "../shell/shell.module.css";
import { tell, tellError } from "../shell/tell";
import { TopBar } from "../shell/TopBar";

export default function SettingsPage() {
  return (
    <AdminsOnly title="Assistant">
      <TopBar title="Assistant settings" icon={<IconSparkles size={20} aria-hidden="true" className={shell.topIcon} />} />
      <div className={shell.page}>
        <div className={shell.pageBody}>
          <Loaded />
        </div>
      </div>
    </AdminsOnly>
  );
}

function Loaded() {
  const [settings, setSettings] = useState<AssistantSettings | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const load = useCallback(() => {
    assistant.settings().then(
      (found) => {
        setSettings(found.settings);
        setProblem(null);
      },
      (error: unknown) => setProblem(sentence(error)),
    );
  }, []);
  useEffect(load, [load]);
  if (problem) return <Problem text={problem} again={load} />;
  return settings ? <Form settings={settings} changed={setSettings} /> : <Placeholders />;
}

function Form({ settings, changed }: { settings: AssistantSettings; changed: (settings: AssistantSettings) => void }) {
  const [model, setModel] = useState(settings.model);
  const [budget, setBudget] = useState<number | null>(settings.monthly_tokens);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      changed((await assistant.changeSettings({ model, monthly_tokens: budget })).settings);
      tell("Saved.");
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  };
  const same = model === settings.model && budget === settings.monthly_tokens;
  return (
    <Stack maw={480} py="md" gap="lg">
      {settings.models.length === 0 ? (
        <Text>
          No chat model is set up on this installation. The assistant answers with sentences out of your documents, word by
          word, which needs no model and counts for nothing here.
        </Text>
      ) : (
        <Select
          label="Model"
          description="Which one writes the answers, of those that this installation has"
          placeholder={`The usual one, ${settings.models[0] ?? ""}`}
          clearable
          data={settings.models}
          value={model}
          clearButtonProps={{ "aria-label": "Take the usual one" }}
          onChange={setModel}
        />
      )}
      <NumberInput
        label="Budget for a month"
        description="In tokens, about three quarters of a word each. Empty for no limit"
        min={0}
        max={1_000_000_000_000}
        step={100_000}
        allowDecimal={false}
        allowNegative={false}
        thousandSeparator=","
        value={budget ?? ""}
        onChange={(value) => setBudget(value === "" ? null : Number(value))}
      />
      <Used settings={settings} />
      <Group>
        <Button onClick={() => void save()} loading={busy} disabled={same}>
          Save
        </Button>
      </Group>
    </Stack>
  );
}

function Used({ settings }: { settings: AssistantSettings }) {
  const { used_tokens: used, monthly_tokens: most } = settings;
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        Used this month
      </Text>
      {most !== null && (
        <Progress value={Math.min(100, most === 0 ? 100 : (used / most) * 100)} color={used >= most ? "red" : "spruce"} aria-label="Used of the budget" mb={4} />
      )}
      <Text size="sm" c="dimmed" data-testid="used-tokens">
        {used.toLocaleString()} {most === null ? "tokens" : `of ${most.toLocaleString()} tokens`}
        {most !== null && used >= most && ". Questions are answered again next month, or with a larger budget."}
      </Text>
    </div>
  );
}
