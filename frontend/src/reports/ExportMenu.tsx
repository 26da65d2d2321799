/** Asks for an export: of a channel, of the people, or of the audit log. */
import { ActionIcon, Menu } from "@mantine/core";
import { IconDownload, IconFileSpreadsheet, IconFileTypePdf } from "@tabler/icons-react";
import type { ReportFormat } from "../api/types";
import type { Report } from "../live/state";
import { useWorkspace } from "../shell/context";
import { tellError } from "../shell/tell";

interface Props {
  /** What the button does, for those who hear the page. */
  label: string;
  report: Omit<Report, "format">;
}

export function ExportMenu({ label, report }: Props) {
  const workspace = useWorkspace();
  const start = (format: ReportFormat) => void workspace.exports.start({ ...report, format }).catch(tellError);
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon size="lg" variant="subtle" color="gray" aria-label={label} title={label} data-testid="export-button">
          <IconDownload size={19} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{label}</Menu.Label>
        <Menu.Item leftSection={<IconFileSpreadsheet size={16} />} onClick={() => start("csv")} data-testid="export-csv">
          CSV, for spreadsheets
        </Menu.Item>
        <Menu.Item leftSection={<IconFileTypePdf size={16} />} onClick={() => start("pdf")} data-testid="export-pdf">
          PDF, for reading
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
