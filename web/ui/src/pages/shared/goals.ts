/** Which event is likely the goal: what a page begins with, until somebody names another. */

/** What products call a conversion, the surest first. */
const LIKELY = [/^order completed$/i, /purchase/i, /order (placed|paid|complete)/i, /checkout completed/i, /subscri(bed|ption started)/i, /converted/i, /signed? ?up/i]

/** The name of the likeliest goal among the names of events; empty where none is likely. */
export function likelyGoal(steps: readonly string[]): string {
  for (const pattern of LIKELY) {
    const found = steps.find((step) => pattern.test(step))
    if (found) return found
  }
  return ''
}
