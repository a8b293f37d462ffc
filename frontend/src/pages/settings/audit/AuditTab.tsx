import type { AuditEntry } from "../../../api/types";
import { setQuery, useQuery } from "../../../app/router";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { SelectField } from "../../../ui/Field";
import { Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { usePaged } from "../usePaged";
import { useWords } from "../words";
import { actions } from "./actions";
import { AuditDetails } from "./AuditDetails";

/** Who changed what, when and from where. */
export default function AuditTab(): JSX.Element {
  const t = useT();
  const words = useWords();
  const action = useQuery().get("action") ?? "";
  const log = usePaged<"entries", AuditEntry>("/audit", "entries", action === "" ? {} : { action });
  const known = action === "" || (actions as readonly string[]).includes(action) ? actions : [...actions, action];
  return (
    <Card title={t("settings.audit.log")} actions={(
      <Button icon="refresh" busy={log.resource.isLoading} onClick={log.resource.reload}>{t("settings.reload")}</Button>
    )}>
      <SelectField label={t("settings.audit.filter")} value={action} onValue={(value) => setQuery({ action: value })}
        options={[
        { value: "", label: t("settings.audit.all") },
        ...known.map((value) => ({ value, label: words(`settings.audit.action.${value}`, value) })),
      ]} />
      <Loaded resource={log.resource}>
        {({ items, total }) => total === 0 ? <p>{t("settings.audit.none")}</p> : (
          <>
            <p className="small soft" role="status">{t("settings.audit.count", { count: total })}</p>
            <ul className="settings-list settings-list-long">{items.map((entry) => <Entry key={entry.id} entry={entry} />)}</ul>
            {log.hasMore && <Button busy={log.isLoadingMore} onClick={log.more}>{t("action.show_more")}</Button>}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Entry({ entry }: { entry: AuditEntry }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const words = useWords();
  const { actor, subject } = entry;
  const who = words(`settings.audit.actor.${actor.kind}`, actor.kind, { name: actor.name ?? "" });
  return (
    <li>
      <div className="settings-item">
        <h3>
          {words(`settings.audit.action.${entry.action}`, entry.action)}
          {subject?.name && subject.kind !== "settings" && <span className="settings-subject"> {subject.name}</span>}
        </h3>
        <p className="small soft">
          {format.dateTime(entry.at)} · {who}
          {entry.address !== null && <> · {t("settings.audit.from", { address: entry.address })}</>}
        </p>
        <AuditDetails entry={entry} />
      </div>
    </li>
  );
}
