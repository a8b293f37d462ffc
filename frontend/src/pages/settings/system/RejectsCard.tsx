import type { Reject } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { useDevices } from "../../../live/hooks";
import { Badge } from "../../../ui/Badges";
import { Button } from "../../../ui/Button";
import { Loaded } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { usePaged } from "../usePaged";
import { useWords } from "../words";

/** What devices said and could not be stored: the dead letters. */
export function RejectsCard(): JSX.Element {
  const t = useT();
  const rejects = usePaged<"rejects", Reject>("/ingest/rejects", "rejects");
  const { resource } = rejects;
  return (
    <Card title={t("settings.rejects")}
      actions={<Button icon="refresh" busy={resource.isLoading} onClick={resource.reload}>{t("settings.rejects.reload")}</Button>}>
      <p className="settings-explanation">{t("settings.rejects.text")}</p>
      <Loaded resource={resource}>
        {({ items, total }) => total === 0 ? <p>{t("settings.rejects.none")}</p> : (
          <>
            <p className="small soft">{t("settings.rejects.count", { count: total })}</p>
            <ul className="settings-list settings-list-long">{items.map((reject) => <RejectItem key={reject.id} reject={reject} />)}</ul>
            {rejects.hasMore && <Button busy={rejects.isLoadingMore} onClick={rejects.more}>{t("action.show_more")}</Button>}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function RejectItem({ reject }: { reject: Reject }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const words = useWords();
  const devices = useDevices();
  const device = devices.find((one) => one.id === reject.device_id);
  const payload = reject.payload.trim();
  const isCut = new TextEncoder().encode(reject.payload).length < reject.payload_bytes;
  return (
    <li>
      <div className="settings-item">
        <h3>
          <Badge tone="warning"
            icon="warning">{words(`settings.rejects.reason.${reject.reason}`, reject.reason.replaceAll("_", " "))}</Badge>
          {" "}{device ? device.name : reject.device_id === null ? t("settings.rejects.no_device") : t("settings.rejects.unknown_device")}
        </h3>
        <p>{reject.detail}</p>
        {reject.advice !== null && <p className="soft">{words(`settings.rejects.advice.${reject.reason}`, reject.advice)}</p>}
        <p className="small soft">{format.dateTime(reject.received_at)} · <code>{reject.topic}</code></p>
        <details>
          <summary>{t("settings.rejects.payload", { bytes: format.bytes(reject.payload_bytes) })}</summary>
          {payload === "" ? <p className="small soft">{t("settings.rejects.empty")}</p>
            : <pre tabIndex={0} aria-label={t("settings.rejects.payload_label")}>{reject.payload}</pre>}
          {isCut && <p className="small soft">{t("settings.rejects.cut")}</p>}
        </details>
      </div>
    </li>
  );
}
