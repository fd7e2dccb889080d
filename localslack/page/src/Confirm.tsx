// Confirmation dialog of an element.
import { useEffect, useRef } from "react";
import { Text } from "./LibraryBlock";
import type { Confirm } from "./slack";
import { plain } from "./text";

export function ConfirmDialog(props: { confirm: Confirm; onAnswer: (yes: boolean) => void }) {
  const { confirm, onAnswer } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className="modal confirm"
      data-testid="confirm"
      aria-label={plain(confirm.title) || "Are you sure?"}
      onCancel={(event) => {
        event.preventDefault();
        onAnswer(false);
      }}
    >
      <header>
        <h2>{plain(confirm.title) || "Are you sure?"}</h2>
      </header>
      <div className="modal-body">
        <Text of={confirm.text} />
      </div>
      <footer>
        <button type="button" className="button" onClick={() => onAnswer(false)}>
          {plain(confirm.deny) || "Cancel"}
        </button>
        <button
          type="button"
          className={`button ${confirm.style === "danger" ? "danger" : "primary"}`}
          onClick={() => onAnswer(true)}
        >
          {plain(confirm.confirm) || "Yes"}
        </button>
      </footer>
    </dialog>
  );
}
