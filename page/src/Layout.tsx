// Blocks that hold what one can click or fill in, and those whose mrkdwn the library would misread:
// we lay them out, the library draws their text.
import { useContext, useId } from "react";
import { Control } from "./Controls";
import { Interactive } from "./Elements";
import { FormContext } from "./form";
import { Picture } from "./hooks";
import { Text } from "./Library";
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
  const id = useId();
  if (!form) throw new Error("An input stands in a modal");
  const element: Element = of.element;
  const error = form.errors[of.block_id];
  return (
    <div className="input">
      <label htmlFor={id}>
        {plain(of.label)} {of.optional && <span className="optional">(optional)</span>}
      </label>
      <Control
        id={id}
        describedBy={`${id}-note`}
        element={element}
        entry={form.entry(of.block_id, element)}
        label={plain(of.label)}
        required={!of.optional}
        onEntry={(entry) => form.set(of.block_id, element, entry)}
      />
      <p id={`${id}-note`} className={error ? "note error" : "note"}>
        {error ?? plain(of.hint)}
      </p>
    </div>
  );
}

export const Image = ({ of }: Props) => (
  <figure className="image">
    {of.title && <figcaption>{plain(of.title)}</figcaption>}
    <Picture url={of.image_url} alt={of.alt_text} className="picture" />
  </figure>
);
