/** Do what a page may have forbidden or made impossible; undefined where it fails. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}

/** A bug of ours is told, and the page must not feel it. */
export function guarded(run: () => void): void {
  try {
    run()
  } catch (error) {
    console.error('sojourn: a bug of ours', error)
  }
}
