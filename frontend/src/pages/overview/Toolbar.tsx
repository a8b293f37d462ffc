import { useEffect, useState } from "react";
import { setQuery } from "../../app/router";
import type { Plant, PlantStatus } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { useLanguage, useT } from "../../i18n";
import { statusIcon } from "../../ui/Badges";
import { roomsOf, sorts, statuses, type Arrangement, type Sort, type View } from "./arrange";

interface Props {
  arrangement: Arrangement;
  plants: readonly Plant[];
  /** Those that search and room leave, whatever their status. */
  matching: readonly Plant[];
}

/** Search, filters and order; all of it is in the address. */
export function Toolbar({ arrangement, plants, matching }: Props): JSX.Element {
  const t = useT();
  const language = useLanguage();
  const rooms = roomsOf(plants, language);
  // A link may name a room that is no more.
  const named = arrangement.room !== null && !rooms.includes(arrangement.room) ? [...rooms, arrangement.room] : rooms;
  return (
    <section className="plant-tools" aria-label={t("overview.tools")}>
      <Search search={arrangement.search} />
      <ViewSwitch view={arrangement.view} />
      {named.length > 0 && (
        <label className="tool">
          <Icon name="room" />
          <select aria-label={t("overview.room")} value={arrangement.room ?? ""} onChange={(event) => setQuery({ room: event.target.value })}>
            <option value="">{t("overview.every_room")}</option>
            {named.map((room) => <option key={room} value={room}>{room}</option>)}
          </select>
        </label>
      )}
      <label className="tool">
        <Icon name="sort" />
        <select aria-label={t("overview.sort")} value={arrangement.sort} onChange={(event) => {
          const sort = event.target.value as Sort;
          setQuery({ sort: sort === "status" ? null : sort });
        }}>
          {sorts.map((sort) => <option key={sort} value={sort}>{t(`overview.sort_${sort}`)}</option>)}
        </select>
      </label>
      <StatusFilter chosen={arrangement.status} plants={matching} />
    </section>
  );
}

function Search({ search }: { search: string }): JSX.Element {
  const t = useT();
  // What is typed is shown at once, whatever the address takes.
  const [text, setText] = useState(search);
  useEffect(() => setText((old) => (old.trim() === search ? old : search)), [search]);
  return (
    <label className="tool tool-search">
      <span className="visually-hidden">{t("overview.search")}</span>
      <Icon name="search" />
      <input type="search" value={text} placeholder={t("overview.search")} autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
          setQuery({ q: event.target.value.trim() });
        }} />
    </label>
  );
}

function ViewSwitch({ view }: { view: View }): JSX.Element {
  const t = useT();
  return (
    <fieldset className="segmented view-switch">
      <legend className="visually-hidden">{t("overview.view")}</legend>
      <div>
        {(["cards", "list"] as const).map((one) => (
          <label key={one} title={t(`overview.view_${one}`)}>
            <input type="radio" name="view" checked={view === one}
              onChange={() => setQuery({ view: one === "list" ? "list" : null })} />
            <span><Icon name={one === "cards" ? "grid" : "list"} title={t(`overview.view_${one}`)} /></span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function StatusFilter({ chosen, plants }: { chosen: PlantStatus | null; plants: readonly Plant[] }): JSX.Element | null {
  const t = useT();
  const shown = statuses.filter((status) => status === chosen || plants.some((plant) => plant.status === status));
  // One choice is none.
  if (chosen === null && shown.length < 2) return null;
  const count = (status: PlantStatus): number => plants.filter((plant) => plant.status === status).length;
  return (
    <div className="status-filter" role="group" aria-label={t("overview.status")}>
      <button type="button" aria-pressed={chosen === null} onClick={() => setQuery({ status: null })}>
        {t("overview.every_status")} <span className="figure">{plants.length}</span>
      </button>
      {shown.map((status) => (
        <button key={status} type="button" className={`filter-${status}`} aria-pressed={status === chosen}
          onClick={() => setQuery({ status: status === chosen ? null : status })}>
          <Icon name={statusIcon(status)} />{t(`status.${status}`)} <span className="figure">{count(status)}</span>
        </button>
      ))}
    </div>
  );
}
