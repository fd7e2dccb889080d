// A modal: its inputs, submit and close.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Blocks } from "./Blocks";
import { SendActionContext, SourceContext, usePage } from "./context";
import { holding } from "./entries";
import { type Form, FormContext, type Values, valuesOf } from "./form";
import { Close } from "./icons";
import type { Action, Block, View } from "./slack";
import { plain } from "./text";

// A conversations select can default to the user's current conversation.
function beginning(block: Block, here: string | undefined): Block {
  const { element } = block;
  if (!element?.default_to_current_conversation || element.initial_conversation) return block;
  return { ...block, element: { ...element, initial_conversation: here } };
}

export function Modal({ view }: { view: View }) {
  const { connection, showError, route } = usePage();
  const [here] = useState(route.channel);
  const dialog = useRef<HTMLDialogElement>(null);
  const [filled, setFilled] = useState<Values>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [refused, setRefused] = useState(0); // number of rejected submissions
  const [isBusy, setBusy] = useState(false);
  const id = view.id;
  // Slack gives every block an id; the page adds missing ones.
  const blocks = useMemo(
    () =>
      view.blocks.map((block, at) => ({
        ...beginning(block, here),
        block_id: block.block_id ?? `block-${at}`,
      })),
    [view.blocks, here],
  );
  const source = useMemo(() => ({ view_id: id }), [id]);

  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>(".modal-body :is(input, select, textarea)")?.focus();
  }, []);

  // Inputs keep their values when the app updates the view and their ids stay the same. This holds
  // for initial values as well as for typed ones.
  useEffect(() => setFilled((now) => valuesOf(blocks, now)), [blocks]);
  useEffect(() => {
    if (refused) dialog.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [refused]);

  const act = useCallback(
    async (action: Action) =>
      showError(await connection.click({ view_id: id }, action, valuesOf(blocks, filled))),
    [id, blocks, filled, connection, showError],
  );
  const form: Form = useMemo(
    () => ({
      errors,
      entry: (block, element) => holding(element, filled[block ?? ""]?.[element.action_id ?? ""]),
      set: (block = "", element, entry) => {
        setErrors(({ [block]: _, ...rest }) => rest);
        setFilled((now) => ({
          ...now,
          [block]: { ...now[block], [element.action_id ?? ""]: entry },
        }));
      },
    }),
    [filled, errors],
  );
  const submit = async () => {
    setBusy(true);
    const answer = await connection.submit(id, valuesOf(blocks, filled));
    setBusy(false);
    // The app's errors are shown at their inputs; other errors in the error line.
    const own = answer.ok ? {} : (answer.errors ?? {});
    const isPlaced = blocks.some((block) => block.block_id in own);
    setErrors(own);
    if (isPlaced) setRefused((times) => times + 1);
    showError(isPlaced ? { ok: true } : answer);
  };
  const close = () => void connection.close(id).then(showError);

  return (
    <dialog
      ref={dialog}
      className="modal"
      data-testid="modal"
      aria-label={plain(view.title)}
      onCancel={(event) => {
        event.preventDefault();
        if (event.target === dialog.current) close();
      }}
    >
      <form
        noValidate // the server reports missing values, beside each input
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) void submit();
        }}
      >
        <header>
          <h2>{plain(view.title)}</h2>
          <button type="button" className="icon" aria-label="Close" onClick={close}>
            <Close />
          </button>
        </header>
        <div className="modal-body">
          <SendActionContext.Provider value={act}>
            <FormContext.Provider value={form}>
              <SourceContext.Provider value={source}>
                <Blocks blocks={blocks} />
              </SourceContext.Provider>
            </FormContext.Provider>
          </SendActionContext.Provider>
        </div>
        <footer>
          <button type="button" className="button" onClick={close}>
            {plain(view.close) || "Close"}
          </button>
          {view.submit && (
            <button type="submit" className="button primary" aria-busy={isBusy || undefined}>
              {plain(view.submit)}
            </button>
          )}
        </footer>
      </form>
    </dialog>
  );
}
