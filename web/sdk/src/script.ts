/**
 * The script: `<script async src=".../sojourn.min.js" data-write-key="...">`. It becomes `window.sojourn`.
 *
 * Calls made before it was there were kept by the snippet as `[name, at, ...args]` and are made now, with their times.
 */

import { CALLS, start, type Sojourn } from './running'
import type { Call, Options } from './types'

type Early = [name: string, at: number, ...args: unknown[]]
type Load = { load?: (writeKey: string, options: Partial<Options>) => void }
type Global = { sojourn?: (Sojourn & Load) | (Early[] & Load) }

/** Run the script; `more` begins what else its tag asks for. */
export function runScript(more: (sojourn: Sojourn, asked: DOMStringMap) => void = () => {}): void {
  const tag = document.currentScript as HTMLScriptElement | null
  const asked = tag?.dataset ?? {}
  const page = window as unknown as Global
  const host = tag?.src ? new URL(tag.src).origin : location.origin
  const running = page.sojourn
  if (running?.load && !Array.isArray(running)) {
    // Another tag was here before: one tracker of a key is enough.
    return asked['writeKey'] ? running.load(asked['writeKey'], { host, ...optionsOf(asked) }) : undefined
  }
  const early = Array.isArray(page.sojourn) ? page.sojourn : []
  const named = early.find(([name]) => name === 'load')
  let hasBegun = false
  const begin = (writeKey: string, options: Partial<Options> = {}) => {
    const tracker = start(writeKey, { host, ...options })
    page.sojourn = Object.assign(tracker.api, { load: begin })
    for (const call of early.splice(0)) replay(tracker.api, tracker.call, call)
    if (!hasBegun) more(tracker.api, asked)
    hasBegun = true
  }
  if (asked['writeKey']) begin(asked['writeKey'], optionsOf(asked))
  else if (named) begin(named[2] as string, named[3] as Partial<Options>)
  else page.sojourn = Object.assign(early, { load: begin })
}

function replay(api: Sojourn, call: (type: Call['type'], args: unknown[], at: number) => void, early: Early): void {
  const [name, at, ...args] = early
  if (CALLS.includes(name as Call['type'])) call(name as Call['type'], args, at)
  else if (name !== 'load' && name in api) (api as unknown as Record<string, (...args: unknown[]) => void>)[name]!(...args)
}

/** Read `data-auto-page="false"` and the like. */
function optionsOf(asked: DOMStringMap): Partial<Options> {
  const read = (text: string) => (/^\d+$/.test(text) ? Number(text) : text === 'true' || text === '' ? true : text !== 'false' && text)
  return Object.fromEntries(Object.entries(asked).map(([name, text]) => [name, read(text ?? '')]))
}
