/** A document's text as React nodes, with the quote that one came for. */
import { IconPhoto, IconSquare, IconSquareCheck } from "@tabler/icons-react";
import { Fragment, memo, useEffect, useMemo, useRef, type ReactNode } from "react";
import { parseBlocks, type Align, type Block, type Item, type Line } from "./blocks";
import { leavesOf, leavesOfLine, type Leaf } from "./leaves";
import { cut, type Range } from "./points";
import { TextLink } from "./TextLink";
import classes from "./text.module.css";

interface Props {
  text: string;
  /** The quote to show, in UTF-16 units. */
  mark?: Range | null;
}

export const DocumentText = memo(function DocumentText({ text, mark = null }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const blocks = useMemo(() => parseBlocks(text), [text]);
  useEffect(() => {
    if (mark) box.current?.querySelector("mark")?.scrollIntoView({ block: "center" });
  }, [mark, text]);
  return (
    <div className={classes.text} ref={box}>
      <Blocks blocks={blocks} mark={mark} />
    </div>
  );
});

function Blocks({ blocks, mark }: { blocks: readonly Block[]; mark: Range | null }) {
  return blocks.map((block, at) => <BlockView key={at} block={block} mark={mark} />);
}

/** A component of its own, so that drawing a long document can be interrupted by a key. */
function BlockView({ block, mark }: { block: Block; mark: Range | null }) {
  return renderBlock(block, mark);
}

function renderBlock(block: Block, mark: Range | null): ReactNode {
  switch (block.kind) {
    case "heading":
      return <Heading level={block.level}>{renderAll(leavesOfLine(block.line), mark)}</Heading>;
    case "paragraph":
      return <p>{renderAll(leavesOf(block.lines), mark)}</p>;
    case "code":
      return (
        <pre tabIndex={0}>
          <code>
            {block.lines.map((line, at) => (
              <Fragment key={at}>
                {renderText(line.text, line.at, mark)}
                {"\n"}
              </Fragment>
            ))}
          </code>
        </pre>
      );
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.blocks} mark={mark} />
        </blockquote>
      );
    case "list":
      return <List block={block} mark={mark} />;
    case "table":
      return <Table block={block} mark={mark} />;
    case "rule":
      return <hr />;
  }
}

/** The page's own heading is the first one, so a document's begin with the second. */
function Heading({ level, children }: { level: number; children: ReactNode }) {
  const Name = (["h2", "h3", "h4", "h5", "h6", "h6"] as const)[level - 1] ?? "h6";
  return <Name data-level={level}>{children}</Name>;
}

function List({ block, mark }: { block: Block & { kind: "list" }; mark: Range | null }) {
  const items = block.items.map((item, at) => (
    <li key={at} data-task={item.ticked !== null}>
      {item.ticked !== null && <Tick ticked={item.ticked} />}
      <ItemBody item={item} mark={mark} />
    </li>
  ));
  return block.ordered ? <ol start={block.first}>{items}</ol> : <ul>{items}</ul>;
}

function Tick({ ticked }: { ticked: boolean }) {
  return ticked ? <IconSquareCheck size={17} role="img" aria-label="done" /> : <IconSquare size={17} role="img" aria-label="to do" />;
}

/** An item's first paragraph stands in the line of its mark. */
function ItemBody({ item, mark }: { item: Item; mark: Range | null }) {
  const [first, ...rest] = item.blocks;
  if (first?.kind !== "paragraph") return <Blocks blocks={item.blocks} mark={mark} />;
  return (
    <>
      <span>{renderAll(leavesOf(first.lines), mark)}</span>
      <Blocks blocks={rest} mark={mark} />
    </>
  );
}

function Table({ block, mark }: { block: Block & { kind: "table" }; mark: Range | null }) {
  const cell = (line: Line) => renderAll(leavesOfLine({ ...line, text: line.text.replaceAll("\\|", "|") }), mark);
  return (
    <div className={classes.table} tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>
            {block.head.map((line, column) => (
              <th key={column} scope="col" data-align={align(block.align, column)}>
                {cell(line)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, at) => (
            <tr key={at}>
              {row.map((line, column) => (
                <td key={column} data-align={align(block.align, column)}>
                  {cell(line)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function align(aligns: readonly Align[], column: number): Align | undefined {
  return aligns[column] ?? undefined;
}

function renderAll(leaves: readonly Leaf[], mark: Range | null): ReactNode {
  return leaves.map((leaf, at) => <Fragment key={at}>{render(leaf, mark)}</Fragment>);
}

function render(leaf: Leaf, mark: Range | null): ReactNode {
  switch (leaf.kind) {
    case "text":
      return renderText(leaf.text, leaf.at, mark);
    case "code":
      return <code>{renderText(leaf.text, leaf.at, mark)}</code>;
    case "break":
      return <br />;
    case "link":
      return (
        <TextLink href={leaf.href}>
          {leaf.image && <IconPhoto size={15} aria-label="image" className={classes.image} />}
          {renderText(leaf.text, leaf.at, mark)}
        </TextLink>
      );
    case "bold":
      return <strong>{renderAll(leaf.children, mark)}</strong>;
    case "italic":
      return <em>{renderAll(leaf.children, mark)}</em>;
    case "strike":
      return <s>{renderAll(leaf.children, mark)}</s>;
  }
}

function renderText(text: string, at: number, mark: Range | null): ReactNode {
  const parts = cut(text, at, mark);
  if (parts.length === 1 && !parts[0]?.marked) return text;
  return parts.map((part, index) => (part.marked ? <mark key={index}>{part.text}</mark> : part.text));
}
