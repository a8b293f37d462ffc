import { useEffect, useId, useRef, type ReactNode } from "react";
import { useT } from "../i18n";
import { Button, IconButton } from "./Button";
import { Toasts } from "./Toasts";

/**
 * Modal: the browser keeps the focus in it, closes it with Escape, and gives the focus back. It begins at what is marked
 * with `data-focus`, else at the button that closes it (React's autoFocus comes before the dialog is shown, for nothing).
 */
export function Dialog({
  title, onClose, children, wide = false,
}: { title: string; onClose: () => void; children: ReactNode; wide?: boolean }): JSX.Element {
  const t = useT();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    const element = dialog.current;
    opener.current = document.activeElement;
    if (element && !element.open) element.showModal();
    element?.querySelector<HTMLElement>("[data-focus]")?.focus();
    return () => {
      element?.close();
      // React takes the element away before the browser gives the focus back.
      if (opener.current instanceof HTMLElement && opener.current.isConnected) opener.current.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} className={wide ? "dialog dialog-wide" : "dialog"} aria-labelledby={id}
      onCancel={(event) => {
        // React lets this rise from a dialog that was opened out of this one.
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        onClose();
      }}>
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label={t("action.close")} onClick={onClose} />
      </div>
      {children}
      <Toasts />
    </dialog>
  );
}

/** Asks before something that cannot be undone. `action` says what will happen, not "OK". */
export function ConfirmDialog({
  title, text, action, onConfirm, onClose, isBusy = false, problem = null, children,
}: {
  title: string; text: ReactNode; action: string; onConfirm: () => void; onClose: () => void;
  isBusy?: boolean; problem?: string | null; children?: ReactNode;
}): JSX.Element {
  const t = useT();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      {children}
      {problem && <p className="notice notice-critical" role="alert">{problem}</p>}
      <div className="dialog-actions">
        <Button onClick={onClose}>{t("action.cancel")}</Button>
        <Button kind="danger" busy={isBusy} onClick={onConfirm}>{action}</Button>
      </div>
    </Dialog>
  );
}
