/** A definition as lines: names in plain words, values as text. */

/** What says nothing is left out: null, an empty text, list or object. */
export function definitionRows(definition: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return Object.entries(definition).flatMap(([name, value]) => {
    const text = textOf(value)
    return text ? [[wordsOf(name), text] as const] : []
  })
}

function wordsOf(name: string): string {
  return name.replaceAll('_', ' ').replace(/^n /, 'number of ').replace(/ ms$/, ' (ms)')
}

function textOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return ''
  if (Array.isArray(value)) return value.map(textOf).filter(Boolean).join(', ')
  if (typeof value === 'object') {
    return definitionRows(value as Readonly<Record<string, unknown>>).map(([name, text]) => `${name}: ${text}`).join('; ')
  }
  return typeof value === 'number' ? value.toLocaleString('en') : String(value)
}
