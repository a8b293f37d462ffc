import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { Species } from "../api/types";
import { useT, type Translate } from "../i18n";
import { FieldFrame, type FieldText } from "./Field";
import { named, useSpeciesSearch } from "./useSpeciesSearch";

interface Props extends Partial<FieldText> {
  value: string;
  onValue: (value: string) => void;
  /** The species of the library that the text names, and null while it names none. */
  onSpecies?: (species: Species | null) => void;
}

/**
 * The name of a species, with suggestions from the library (WAI-ARIA: editable combobox with a list). What the library
 * does not know can be written all the same.
 */
export function SpeciesPicker({ value, onValue, onSpecies, label, hint, error, isOptional = true }: Props): JSX.Element {
  const t = useT();
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  /** Whoever opens the list without typing sees all of it, not only what is in the field already. */
  const [isBrowsing, setBrowsing] = useState(false);
  const text = value.trim();
  const { found, answered } = useSpeciesSearch(isOpen && isBrowsing ? "" : text === "" ? null : text);
  const isCurrent = answered === (isBrowsing ? "" : text);
  const options = isOpen && isCurrent ? found : [];
  const species = useMemo(() => named(text, found), [text, found]);
  const isUnknown = text !== "" && answered === text && found.length === 0;

  const report = useRef(onSpecies);
  report.current = onSpecies;
  useEffect(() => report.current?.(species), [species]);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);

  function open(browsing: boolean): void {
    setOpen(true);
    setBrowsing(browsing);
    setActive(-1);
  }

  function choose(option: Species): void {
    onValue(option.scientific_name);
    setOpen(false);
    setActive(-1);
  }

  function press(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return open(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      // -1 is the field itself.
      const places = options.length + 1;
      setActive(((active + 1 + step + places) % places) - 1);
      return;
    }
    const option = options[active];
    if (event.key === "Enter" && option) {
      event.preventDefault();
      choose(option);
    } else if (event.key === "Escape" && isOpen) {
      // Only the list, not the dialog around it.
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    }
  }

  return (
    <FieldFrame label={label ?? t("species.label")} hint={hint ?? t("species.hint")} error={error} isOptional={isOptional}>
      {(props) => (
        <div className="picker" onBlur={() => setOpen(false)}>
          <input {...props} type="text" role="combobox" autoComplete="off" autoCapitalize="off" spellCheck={false}
            aria-autocomplete="list" aria-expanded={options.length > 0} aria-controls={`${id}-list`}
            aria-activedescendant={options[active] ? `${id}-${active}` : undefined}
            maxLength={100} placeholder={t("species.placeholder")} value={value} onKeyDown={press}
            onClick={() => isOpen || open(true)}
            onChange={(event) => {
              onValue(event.target.value);
              open(event.target.value.trim() === "");
            }} />
          <ul ref={list} id={`${id}-list`} role="listbox" aria-label={t("species.list")} className="picker-list"
            hidden={options.length === 0}
            // Pressing on the list must not take the focus from the field, which would close it before the click.
            onMouseDown={(event) => event.preventDefault()}>
            {options.map((option, index) => (
              <li key={option.id ?? option.scientific_name} id={`${id}-${index}`} role="option"
                aria-selected={index === active} onClick={() => choose(option)}>
                <em>{option.scientific_name}</em>
                {option.common_name && <span>{option.common_name}</span>}
                <span className="picker-needs">{needs(option, t)}</span>
              </li>
            ))}
          </ul>
          <p className={isUnknown ? "picker-note" : "visually-hidden"} role="status">
            {isUnknown ? t("species.none") : options.length > 0 ? t("species.found", { count: options.length }) : ""}
          </p>
        </div>
      )}
    </FieldFrame>
  );
}

function needs(species: Species, t: Translate): string {
  return [
    species.light && t(`species.light_${species.light}`), species.water && t(`species.water_${species.water}`),
    species.source === "own" && t("species.own"),
  ].filter(Boolean).join(" · ");
}
