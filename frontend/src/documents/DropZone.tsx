/** Takes files that are dropped anywhere on a page. */
import { IconUpload } from "@tabler/icons-react";
import { useRef, useState, type DragEvent, type ReactNode } from "react";
import classes from "./documents.module.css";

interface Props {
  disabled: boolean;
  dropped: (files: readonly File[]) => void;
  children: ReactNode;
}

export function DropZone({ disabled, dropped, children }: Props) {
  const [over, setOver] = useState(false);
  // Each element on the way tells of its own entering and leaving.
  const depth = useRef(0);
  const brings = (event: DragEvent) => !disabled && event.dataTransfer.types.includes("Files");
  const step = (by: number) => (event: DragEvent) => {
    if (!brings(event)) return;
    event.preventDefault();
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  const drop = (event: DragEvent) => {
    if (!brings(event)) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    // A folder comes as a file without a type that cannot be read.
    const files = [...event.dataTransfer.items]
      .filter((item) => item.kind === "file" && !item.webkitGetAsEntry()?.isDirectory)
      .flatMap((item) => item.getAsFile() ?? []);
    if (files.length > 0) dropped(files);
  };
  return (
    <div
      className={classes.drop}
      data-testid="drop-zone"
      onDragEnter={step(1)}
      onDragLeave={step(-1)}
      onDragOver={(event) => brings(event) && event.preventDefault()}
      onDrop={drop}
    >
      {children}
      {over && (
        <div className={classes.dropHint} aria-hidden="true">
          <IconUpload size={30} />
          Drop files to upload them
        </div>
      )}
    </div>
  );
}
