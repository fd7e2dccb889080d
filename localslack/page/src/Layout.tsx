// Blocks with interactive elements, and blocks whose mrkdwn the library would misread: our own
// layout, with the library's rendering of their texts.
import { useContext, useId } from "react";
import { useSendAction } from "./context";
import { Control } from "./Controls";
import { Interactive } from "./Elements";
import { type Entry, isTyped } from "./entries";
import { FormContext } from "./form";
import { Picture } from "./hooks";
import { Text } from "./LibraryBlock";
import type { Element, Json } from "./slack";
import { plain } from "./text";

interface Props {
  of: Json;
}

export const Section = ({ of }: Props) => (
  <div className="section">
    <div className="section-main">
      <Text of={of.text} />
      {of.fields && (
        <div className="fields">
          {of.fields.map((field: Json, at: number) => (
            <Text key={at} of={field} />
          ))}
        </div>
      )}
    </div>
    {of.accessory && (
      <div className="accessory">
        {of.accessory.type === "image" ? (
          <Picture url={of.accessory.image_url} alt={of.accessory.alt_text} className="thumb" />
        ) : (
          <Interactive element={of.accessory} blockId={of.block_id} />
        )}
      </div>
    )}
  </div>
);

export const Context = ({ of }: Props) => (
  <div className="context">
    {of.elements.map((one: Json, at: number) =>
      one.type === "image" ? (
        <Picture key={at} url={one.image_url} alt={one.alt_text} className="tiny" />
      ) : (
        <Text key={at} of={one} />
      ),
    )}
  </div>
);

export const Actions = ({ of }: Props) => (
  <div className="actions">
    {of.elements.map((element: Element, at: number) => (
      <Interactive key={element.action_id ?? at} element={element} blockId={of.block_id} />
    ))}
  </div>
);

export function Input({ of }: Props) {
  const form = useContext(FormContext);
  const act = useSendAction();
  const id = useId();
  if (!form) throw new Error("An input stands in a modal");
  const element: Element = of.element;
  const error = form.errors[of.block_id];
  const now = form.entry(of.block_id, element);
  const tell = (entry: Entry) =>
    void act({ block_id: of.block_id, action_id: element.action_id, ...entry });
  return (
    <div className="input">
      <label htmlFor={id}>
        {plain(of.label)} {of.optional && <span className="optional">(optional)</span>}
      </label>
      <Control
        id={id}
        describedBy={`${id}-note`}
        element={element}
        entry={now}
        label={plain(of.label)}
        required={!of.optional}
        clearable={of.optional}
        invalid={Boolean(error)}
        onEntry={(entry) => {
          form.set(of.block_id, element, entry);
          if (of.dispatch_action && !isTyped(element.type)) tell(entry);
        }}
        onEnter={of.dispatch_action && isTyped(element.type) ? () => tell(now) : undefined}
      />
      <div id={`${id}-note`}>
        {error && <p className="note error">{error}</p>}
        {of.hint && <p className="note">{plain(of.hint)}</p>}
      </div>
    </div>
  );
}

export const Image = ({ of }: Props) => (
  <figure className="image">
    {of.title && <figcaption>{plain(of.title)}</figcaption>}
    <Picture url={of.image_url} alt={of.alt_text} className="picture" />
  </figure>
);
