// A view that the app opened: its inputs, its submit and its close.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Blocks } from "./Blocks";
import { ActContext, PlaceContext, usePage } from "./context";
import { holding } from "./entries";
import { type Form, FormContext, type Values, valuesOf } from "./form";
import { Close } from "./icons";
import type { Action, Block, View } from "./slack";
import { plain } from "./text";

// A select of conversations may begin with the one that its reader came from.
function beginning(block: Block, here: string | undefined): Block {
  const { element } = block;
  if (!element?.default_to_current_conversation || element.initial_conversation) return block;
  return { ...block, element: { ...element, initial_conversation: here } };
}

export function Modal({ view }: { view: View }) {
  const { connection, complain, spot } = usePage();
  const [here] = useState(spot.channel);
  const dialog = useRef<HTMLDialogElement>(null);
  const [filled, setFilled] = useState<Values>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [refused, setRefused] = useState(0); // how often something was wrong
  const [isBusy, setBusy] = useState(false);
  const id = view.id;
  // Slack gives every block an id; so does the page when the server did not.
  const blocks = useMemo(
    () =>
      view.blocks.map((block, at) => ({
        ...beginning(block, here),
        block_id: block.block_id ?? `block-${at}`,
      })),
    [view.blocks, here],
  );
  const place = useMemo(() => ({ view_id: id }), [id]);

  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>(".modal-body :is(input, select, textarea)")?.focus();
  }, []);

  // What an input holds stays when the app changes the view around it, as long as its ids stay;
  // so what an input began with is kept like what was typed.
  useEffect(() => setFilled((now) => valuesOf(blocks, now)), [blocks]);
  useEffect(() => {
    if (refused) dialog.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [refused]);

  const act = useCallback(
    async (action: Action) =>
      complain(await connection.click({ view_id: id }, action, valuesOf(blocks, filled))),
    [id, blocks, filled, connection, complain],
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
    // The app's sentences stand at their inputs; one for no input here stands where all others do.
    const own = answer.ok ? {} : (answer.errors ?? {});
    const isPlaced = blocks.some((block) => block.block_id in own);
    setErrors(own);
    if (isPlaced) setRefused((times) => times + 1);
    complain(isPlaced ? { ok: true } : answer);
  };
  const close = () => void connection.close(id).then(complain);

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
        noValidate // what is missing is said beside each input, in the server's words
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
          <ActContext.Provider value={act}>
            <FormContext.Provider value={form}>
              <PlaceContext.Provider value={place}>
                <Blocks blocks={blocks} />
              </PlaceContext.Provider>
            </FormContext.Provider>
          </ActContext.Provider>
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
