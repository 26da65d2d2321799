/** Has the server compute every seal anew, and says what came of it. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconShieldCheck } from "@tabler/icons-react";
import { useState } from "react";
import * as api from "../api/api";
import type { AuditCheck } from "../api/types";
import { tellError } from "../shell/tell";
import { checkWords } from "./verdict";

interface Props {
  check: AuditCheck | null;
  setCheck: (check: AuditCheck | null) => void;
}

export function Check({ check, setCheck }: Props) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setCheck(null);
    try {
      setCheck(await api.audit.check());
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Group justify="space-between" gap="xs" py="xs" wrap="nowrap" align="flex-start">
        <Text c="dimmed" size="sm">
          What was done that matters, newest first. Each entry is sealed to the one before it soon after it is written, so that
          nobody changes it unseen.
        </Text>
        <Button size="xs" variant="default" loading={busy} onClick={() => void run()} data-testid="check-log" style={{ flex: "none" }}>
          Check the log
        </Button>
      </Group>
      <div role="status">
        {check && (
          <Alert
            color={check.intact ? "spruce" : "red"}
            icon={check.intact ? <IconShieldCheck /> : <IconAlertTriangle />}
            data-testid="check-result"
            data-intact={check.intact}
            style={{ overflowWrap: "anywhere" }}
          >
            {checkWords(check)}
          </Alert>
        )}
      </div>
    </>
  );
}
