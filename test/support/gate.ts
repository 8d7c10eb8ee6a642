/** A gate in front of an activity: it waits there until let through. */
export function gate(): { reached: Promise<void>; open: () => void; stop: () => Promise<void> } {
  let arrive = (): void => undefined;
  let open = (): void => undefined;
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    reached,
    open: () => open(),
    stop: () => {
      arrive();
      return opened;
    },
  };
}
