/** Do what a page may have forbidden or made impossible; undefined where it fails. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
