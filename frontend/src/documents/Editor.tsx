/** Where a document is written: Markdown on one side, what becomes of it on the other, and a draft that keeps itself. */
import { Button, Textarea } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useDeferredValue, useEffect, useMemo, useRef, type ChangeEvent, type KeyboardEvent } from "react";
import { documents, type WholeDocument } from "../api/knowledge";
import { clockTime } from "../chat/time";
import { useStore } from "../live/store";
import { tell, tellError } from "../shell/tell";
import { TopBar } from "../shell/TopBar";
import { Autosave, type EditState } from "./autosave";
import { Conflict } from "./Conflict";
import { DocumentText } from "./DocumentText";
import { applyTool, continueList, type Tool } from "./editing";
import classes from "./editor.module.css";
import { replaceIn } from "./replaceIn";
import { Toolbar } from "./Toolbar";
import { savingWords } from "./words";

const LONGEST_TITLE = 200;
const KEYS: Record<string, Tool> = { b: "bold", i: "italic", e: "code" };

interface Props {
  document: WholeDocument;
  saved: (document: WholeDocument) => void;
  done: () => void;
}

const whole = (state: EditState) => state;

export function Editor({ document, saved, done }: Props) {
  const autosave = useAutosave(document);
  const state = useStore(autosave.state, whole);
  const { written } = state;
  const box = useRef<HTMLTextAreaElement>(null);
  // Writing comes first: what becomes of the text is drawn when there is time.
  const preview = useDeferredValue(written.text, "");

  const save = async () => {
    const title = written.title.trim();
    if (!title) return;
    if (title !== written.title) autosave.write({ title });
    const found = await autosave.save();
    if (!found) return;
    saved(found);
    tell(`Version ${found.version} is saved.`);
    done();
  };
  const leave = async () => {
    await autosave.flush();
    if (!autosave.safe) {
      askToLeave(done);
      return;
    }
    // What was written and taken back again is no draft.
    if (!autosave.changed && autosave.state.get().drafted) await autosave.discard().catch(tellError);
    const { drafted, written: text, base } = autosave.state.get();
    // The page behind shows the draft that is there now.
    saved({ ...document, draft: drafted ? { ...text, base_version: base, saved_at: drafted } : null });
    done();
  };
  const discard = () =>
    modals.openConfirmModal({
      title: "Discard this draft?",
      children: "The document stays as it was saved last.",
      labels: { confirm: "Discard", cancel: "Keep writing" },
      confirmProps: { color: "red" },
      onConfirm: () => {
        autosave.discard().then(() => {
          saved({ ...document, draft: null });
          done();
        }, tellError);
      },
    });
  const format = (tool: Tool) => {
    const area = box.current;
    if (area) replaceIn(area, applyTool(tool, { text: area.value, start: area.selectionStart, end: area.selectionEnd }));
  };
  const pressed = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    const area = event.currentTarget;
    const tool = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey ? KEYS[event.key.toLowerCase()] : undefined;
    if (tool) {
      event.preventDefault();
      format(tool);
    } else if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      const next = continueList({ text: area.value, start: area.selectionStart, end: area.selectionEnd });
      if (!next) return;
      event.preventDefault();
      replaceIn(area, next);
    }
  };
  useSaveKey(() => void save());

  const busy = state.phase === "saving";
  return (
    <>
      <TopBar title={`Editing ${document.title}`}>
        <Button size="xs" variant="default" onClick={() => void leave()} data-testid="leave-editor">
          Close
        </Button>
        <Button size="xs" onClick={() => void save()} loading={busy} disabled={!written.title.trim() || state.phase === "conflict" || !autosave.changed} data-testid="save-document">
          Save
        </Button>
      </TopBar>
      {state.phase === "conflict" && state.current !== null && (
        <Conflict document={document} autosave={autosave} current={state.current} mine={written} taken={(theirs) => { saved(theirs); done(); }} />
      )}
      <div className={classes.head}>
        <input
          className={classes.title}
          value={written.title}
          maxLength={LONGEST_TITLE}
          aria-label="Title"
          placeholder="Title"
          data-testid="document-title"
          onChange={(event) => autosave.write({ title: event.currentTarget.value })}
        />
        <Toolbar use={format} />
        <div className={classes.state} data-phase={state.phase}>
          <span role="status" data-testid="saving-state">
            {savingWords(state, autosave.changed, clockTime)}
          </span>
          {state.problem && <span role="alert">{state.problem}</span>}
          {autosave.changed && (
            <Button size="compact-xs" variant="subtle" color="gray" onClick={discard}>
              Discard the draft
            </Button>
          )}
        </div>
      </div>
      <div className={classes.panes}>
        <Textarea
          ref={box}
          classNames={{ root: classes.write, wrapper: classes.fill, input: classes.input }}
          variant="unstyled"
          value={written.text}
          aria-label="Text, in Markdown"
          placeholder="Write in Markdown: # heading, **bold**, - list, | table |"
          spellCheck
          autoFocus
          data-testid="document-text"
          onChange={(event: ChangeEvent<HTMLTextAreaElement>) => autosave.write({ text: event.currentTarget.value })}
          onKeyDown={pressed}
        />
        <div className={classes.preview} tabIndex={0} role="group" aria-label="Preview" data-testid="preview">
          {preview.trim() ? <DocumentText text={preview} /> : <p className={classes.empty}>What you write appears here.</p>}
        </div>
      </div>
    </>
  );
}

function askToLeave(leave: () => void): void {
  modals.openConfirmModal({
    title: "The draft is not kept",
    children: "The server does not take it at the moment. If you leave now, what you wrote last is lost.",
    labels: { confirm: "Leave anyway", cancel: "Stay here" },
    confirmProps: { color: "red" },
    onConfirm: leave,
  });
}

/** One autosave for as long as the editor is open: what the server says of the document meanwhile must not start another. */
function useAutosave(document: WholeDocument): Autosave {
  const first = useRef(document);
  const autosave = useMemo(() => {
    const { id } = first.current;
    return new Autosave(
      {
        saveDraft: (draft) => documents.saveDraft(id, draft),
        discardDraft: () => documents.discardDraft(id),
        save: (change) => documents.change(id, change),
        setTimer: (run, ms) => setTimeout(run, ms),
        clearTimer: (timer) => clearTimeout(timer as number),
      },
      first.current,
    );
  }, []);
  useEffect(() => {
    const leaving = (event: BeforeUnloadEvent) => {
      const { phase } = autosave.state.get();
      if (phase === "clean" || (phase === "conflict" && !autosave.changed)) return;
      void autosave.flush();
      event.preventDefault();
    };
    const hidden = () => void (document.id && globalThis.document.visibilityState === "hidden" && autosave.flush());
    window.addEventListener("beforeunload", leaving);
    globalThis.document.addEventListener("visibilitychange", hidden);
    return () => {
      window.removeEventListener("beforeunload", leaving);
      globalThis.document.removeEventListener("visibilitychange", hidden);
      void autosave.flush();
    };
  }, [autosave, document.id]);
  return autosave;
}

function useSaveKey(save: () => void): void {
  const latest = useRef(save);
  useEffect(() => {
    latest.current = save;
  });
  useEffect(() => {
    const pressed = (event: globalThis.KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}
