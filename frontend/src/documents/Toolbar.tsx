/** Buttons for those who do not know Markdown by heart. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { IconBold, IconCode, IconHeading, IconItalic, IconLink, IconList, IconListCheck, IconListNumbers, IconQuote, IconTable } from "@tabler/icons-react";
import type { Tool } from "./editing";
import classes from "./editor.module.css";

const TOOLS: [Tool, string, typeof IconBold][] = [
  ["heading", "Heading", IconHeading],
  ["bold", "Bold (Ctrl B)", IconBold],
  ["italic", "Italic (Ctrl I)", IconItalic],
  ["code", "Code (Ctrl E)", IconCode],
  ["link", "Link", IconLink],
  ["list", "List", IconList],
  ["numbers", "Numbered list", IconListNumbers],
  ["tasks", "Task list", IconListCheck],
  ["quote", "Quote", IconQuote],
  ["table", "Table", IconTable],
];

export function Toolbar({ use }: { use: (tool: Tool) => void }) {
  return (
    <div className={classes.tools} role="toolbar" aria-label="Formatting">
      {TOOLS.map(([tool, label, Icon]) => (
        <Tooltip key={tool} label={label}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={32}
            aria-label={label}
            // The selection in the text stays where it is.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => use(tool)}
          >
            <Icon size={18} />
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  );
}
