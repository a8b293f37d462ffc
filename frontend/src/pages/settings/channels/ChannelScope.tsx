import { useT } from "../../../i18n";
import { usePlants } from "../../../live/hooks";
import { Segmented } from "../../../ui/Choice";
import type { FieldErrors } from "../../../ui/form";
import type { ChannelDraft } from "./draft";

/** Of which plants a channel is told: all (and of the system), those of some rooms, or some. */
export function ChannelScope({
  draft, set, errors,
}: { draft: ChannelDraft; set: (change: Partial<ChannelDraft>) => void; errors: FieldErrors }): JSX.Element {
  const t = useT();
  const plants = usePlants();
  // Also rooms and plants that are not there any more, so that they can be taken out.
  const rooms = [...new Set([...plants.flatMap((plant) => plant.room ?? []), ...draft.rooms])].sort();
  const gone = draft.plantIds.filter((id) => !plants.some((plant) => plant.id === id));
  const named = [...plants].sort((one, other) => one.name.localeCompare(other.name));
  return (
    <>
      <Segmented label={t("settings.channels.scope")} value={draft.scope} onValue={(scope) => set({ scope })} options={[
        { value: "all", label: t("settings.channels.scope_all_choice") },
        { value: "rooms", label: t("settings.channels.scope_rooms") },
        { value: "plants", label: t("settings.channels.scope_plants") },
      ]} />
      {draft.scope === "rooms" && (
        <Choices label={t("settings.channels.scope_rooms")} chosen={draft.rooms}
          onChosen={(chosen) => set({ rooms: chosen })}
          error={errors["rooms"]} none={t("settings.channels.no_rooms")}
          options={rooms.map((room) => ({ value: room, label: room }))} />
      )}
      {draft.scope === "plants" && (
        <Choices label={t("settings.channels.scope_plants")} chosen={draft.plantIds}
          onChosen={(chosen) => set({ plantIds: chosen })}
          error={errors["plant_ids"]} none={t("settings.channels.no_plants")} options={[
            ...named.map((plant) => ({ value: plant.id, label: plant.room ? `${plant.name} (${plant.room})` : plant.name })),
            ...gone.map((id) => ({ value: id, label: t("settings.channels.gone_plant") })),
          ]} />
      )}
    </>
  );
}

function Choices({
  label, options, chosen, onChosen, error, none,
}: {
  label: string; options: { value: string; label: string }[]; chosen: string[]; onChosen: (chosen: string[]) => void;
  error: string | undefined; none: string;
}): JSX.Element {
  return (
    <fieldset className={error ? "settings-checks field-wrong" : "settings-checks"}>
      <legend className="visually-hidden">{label}</legend>
      {options.length === 0 && <p className="soft">{none}</p>}
      <div>
        {options.map((option) => (
          <label key={option.value}>
            <input type="checkbox" checked={chosen.includes(option.value)} onChange={(event) =>
              onChosen(event.target.checked ? [...chosen, option.value] : chosen.filter((one) => one !== option.value))} />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
      {error && <p className="field-error">{error}</p>}
    </fieldset>
  );
}
