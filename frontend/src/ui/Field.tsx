import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import { useT } from "../i18n";

export interface FieldText {
  label: string;
  /** What helps to fill it in. */
  hint?: ReactNode;
  /** What is wrong with it. */
  error?: string | undefined;
  isOptional?: boolean;
}

export type Described = Pick<InputHTMLAttributes<HTMLElement>, "id" | "aria-describedby" | "aria-invalid">;

/** Label, hint and error around whatever is filled in. */
export function FieldFrame({ label, hint, error, isOptional, children }: FieldText & { children: (props: Described) => ReactNode }): JSX.Element {
  const id = useId();
  const t = useT();
  const describedBy = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className={error ? "field field-wrong" : "field"}>
      <label htmlFor={id}>
        {label}
        {isOptional && <span className="field-optional"> ({t("form.optional")})</span>}
      </label>
      {children({
        id, "aria-describedby": describedBy || undefined, "aria-invalid": error ? true : undefined,
      })}
      {hint && <p className="field-hint" id={`${id}-hint`}>{hint}</p>}
      {error && <p className="field-error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}

/** `onValue` is given the text; a form keeps texts and reads numbers when it is sent. */
export function TextField({
  label, hint, error, isOptional, value, onValue, ...rest
}: FieldText & Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> & { value: string; onValue: (value: string) => void }): JSX.Element {
  return (
    <FieldFrame label={label} hint={hint} error={error} isOptional={isOptional ?? false}>
      {(props) => <input {...rest} {...props} value={value} onChange={(event) => onValue(event.target.value)} />}
    </FieldFrame>
  );
}

export function TextAreaField({
  label, hint, error, isOptional, value, onValue, ...rest
}: FieldText & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "value" | "onChange"> & { value: string; onValue: (value: string) => void }): JSX.Element {
  return (
    <FieldFrame label={label} hint={hint} error={error} isOptional={isOptional ?? false}>
      {(props) => <textarea {...rest} {...props} value={value} onChange={(event) => onValue(event.target.value)} />}
    </FieldFrame>
  );
}

export function SelectField<Value extends string>({
  label, hint, error, isOptional, value, onValue, options, ...rest
}: FieldText & Omit<SelectHTMLAttributes<HTMLSelectElement>, "value" | "onChange"> & {
  value: Value; onValue: (value: Value) => void; options: readonly { value: Value; label: string }[];
}): JSX.Element {
  return (
    <FieldFrame label={label} hint={hint} error={error} isOptional={isOptional ?? false}>
      {(props) => (
        <select {...rest} {...props} value={value} onChange={(event) => onValue(event.target.value as Value)}>
          {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
        </select>
      )}
    </FieldFrame>
  );
}

export function CheckField({
  label, hint, checked, onValue, disabled,
}: { label: string; hint?: ReactNode; checked: boolean; onValue: (checked: boolean) => void; disabled?: boolean }): JSX.Element {
  const id = useId();
  return (
    <div className="field field-check">
      <input id={id} type="checkbox" checked={checked} disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onValue(event.target.checked)} />
      <label htmlFor={id}>{label}</label>
      {hint && <p className="field-hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
