import { useId, type KeyboardEvent, type ReactNode } from "react";
import { Link } from "../app/Link";

/** A few choices side by side, of which one holds: radio buttons, drawn as one bar. */
export function Segmented<Value extends string>({
  label, value, onValue, options, isLabelHidden = false,
}: {
  label: string; value: Value; onValue: (value: Value) => void;
  options: readonly { value: Value; label: string }[]; isLabelHidden?: boolean;
}): JSX.Element {
  const name = useId();
  return (
    <fieldset className="segmented">
      <legend className={isLabelHidden ? "visually-hidden" : undefined}>{label}</legend>
      <div>
        {options.map((option) => (
          <label key={option.value}>
            <input type="radio" name={name} value={option.value} checked={option.value === value}
              onChange={() => onValue(option.value)} />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Parts of a page with addresses of their own. */
export function LinkTabs({
  label, current, tabs,
}: { label: string; current: string; tabs: readonly { to: string; label: ReactNode }[] }): JSX.Element {
  return (
    <nav className="link-tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link key={tab.to} to={tab.to} aria-current={tab.to === current ? "page" : undefined}>{tab.label}</Link>
      ))}
    </nav>
  );
}

/** Tabs without addresses (WAI-ARIA: arrows move, one of them is in the tab order). */
export function Tabs<Value extends string>({
  label, value, onValue, tabs, children,
}: {
  label: string; value: Value; onValue: (value: Value) => void;
  tabs: readonly { value: Value; label: string }[]; children: ReactNode;
}): JSX.Element {
  const id = useId();
  // By number: a value may have spaces, which an id must not.
  const tabId = (of: Value): string => `${id}-${tabs.findIndex((tab) => tab.value === of)}`;
  function move(event: KeyboardEvent<HTMLElement>): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const index = tabs.findIndex((tab) => tab.value === value);
    const next = tabs[(index + step + tabs.length) % tabs.length];
    if (!next) return;
    onValue(next.value);
    document.getElementById(tabId(next.value))?.focus();
  }
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button key={tab.value} type="button" role="tab" id={tabId(tab.value)} aria-controls={`${id}-panel`}
            aria-selected={tab.value === value} tabIndex={tab.value === value ? 0 : -1}
            onClick={() => onValue(tab.value)}>
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={tabId(value)}>{children}</div>
    </>
  );
}
