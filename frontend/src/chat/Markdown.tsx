/** A message's text as React nodes. */
import { Fragment, memo, type ReactNode } from "react";
import { TextLink } from "../documents/TextLink";
import classes from "./message.module.css";
import { parse, type Block, type Inline } from "./markdown";

interface Props {
  text: string;
  names: readonly string[];
  myName: string;
}

export const Markdown = memo(function Markdown({ text, names, myName }: Props) {
  return (
    <div className={classes.text}>
      {parse(text, names).map((block, at) => (
        <Fragment key={at}>{renderBlock(block, myName)}</Fragment>
      ))}
    </div>
  );
});

function renderBlock(block: Block, myName: string): ReactNode {
  if (block.kind === "code") {
    return (
      <pre className={classes.pre} tabIndex={0}>
        <code>{block.text}</code>
      </pre>
    );
  }
  const children = renderAll(block.children, myName);
  if (block.kind === "quote") return <blockquote className={classes.quote}>{children}</blockquote>;
  return <p className={classes.line}>{block.children.length > 0 ? children : "\u00a0"}</p>;
}

function renderAll(nodes: readonly Inline[], myName: string): ReactNode {
  return nodes.map((node, at) => <Fragment key={at}>{render(node, myName)}</Fragment>);
}

function render(node: Inline, myName: string): ReactNode {
  switch (node.kind) {
    case "text":
      return node.text;
    case "code":
      return <code className={classes.code}>{node.text}</code>;
    case "link":
      return (
        <TextLink href={node.href} className={classes.link}>
          {node.text}
        </TextLink>
      );
    case "mention":
      return (
        <span className={classes.mention} data-me={node.name.toLowerCase() === myName.toLowerCase()}>
          @{node.name}
        </span>
      );
    case "bold":
      return <strong>{renderAll(node.children, myName)}</strong>;
    case "italic":
      return <em>{renderAll(node.children, myName)}</em>;
    case "strike":
      return <s>{renderAll(node.children, myName)}</s>;
  }
}
