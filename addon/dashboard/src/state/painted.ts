/** Runs something once the frame that is due is on the screen; at once where nothing is painted. */
export function whenPainted(run: () => void): void {
  if (document.hidden) run();
  else requestAnimationFrame(() => void setTimeout(run));
}
