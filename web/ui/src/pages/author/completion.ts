/** What may stand where the cursor is, told by the JSON Schema; the text need not be right yet.
 *
 * Where one is in a file that is being typed is told by its indentation, as people read it, and by open braces.
 */

export interface Suggestion {
  readonly label: string
  readonly kind: 'key' | 'value'
  readonly about: string
}

export interface Place {
  /** Keys from the outside in; `-` is an item of a list. */
  readonly path: readonly string[]
  /** The key whose value is being written; empty where a key is. */
  readonly key: string
  /** What is typed already. */
  readonly typed: string
  /** Keys that are there already, beside the one that is written. */
  readonly beside: readonly string[]
}

type Schema = { readonly [key: string]: unknown }

/** Find out where an offset of the text is. */
export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  const lines = before.split('\n')
  const line = lines.pop() ?? ''
  const flow = flowOf(line)
  const own = /^(\s*(?:- +)*)(.*)$/.exec(line)
  const indent = (own?.[1] ?? '').length
  const path = pathAbove(lines, indentOf(line), line)
  if (flow) {
    return { path: [...path, ...flow.path], key: flow.key, typed: flow.typed, beside: flow.beside }
  }
  const rest = own?.[2] ?? ''
  const pair = /^("[^"]*"|'[^']*'|[^:#]+?):\s+(.*)$/.exec(rest)
  const items = (own?.[1] ?? '').match(/- /g)?.map(() => '-') ?? []
  if (pair) return { path: [...path, ...items], key: unquote(pair[1] ?? ''), typed: pair[2] ?? '', beside: [] }
  return { path: [...path, ...items], key: '', typed: rest, beside: besideOf(text, offset, indent) }
}

/** What the schema lets stand there. */
export function suggest(schema: Schema, place: Place, words: { readonly events: readonly string[]; readonly states: readonly string[] }): readonly Suggestion[] {
  const here = resolve(schema, schema, place.path)
  if (place.key) {
    const found = here.flatMap((each) => step(schema, each, place.key)).flatMap((each) => valuesOf(schema, each))
    return unique([...found, ...wordsFor(place, words)])
  }
  const keys = here.flatMap((each) => keysOf(schema, each)).filter((each) => !place.beside.includes(each.label))
  const named = isEventMap(place.path) ? words.events.map((label) => ({ label, kind: 'key' as const, about: '' })) : []
  return unique([...keys, ...named, ...(place.path.at(-1) === '-' ? here.flatMap((each) => valuesOf(schema, each)) : [])])
}

function wordsFor({ path, key }: Place, words: { readonly events: readonly string[]; readonly states: readonly string[] }): readonly Suggestion[] {
  const parent = path.at(-1) ?? ''
  const isTarget = ['to', 'goto', 'resume', 'initial'].includes(key) || parent === 'after' || isEventMap(path)
  const labels = isTarget ? [...words.states, 'done'] : key === 'on' && !isEventMap(path) ? words.events : []
  return labels.map((label) => ({ label, kind: 'value', about: '' }))
}

/** Inside the `on` of a state: event to way out. */
function isEventMap(path: readonly string[]): boolean {
  return path.at(-1) === 'on' && path.includes('states')
}

/** The keys of the lines above that are further out, from the outside in. */
function pathAbove(lines: readonly string[], indent: number, line: string): readonly string[] {
  const path: string[] = []
  let least = /^\s*- /.test(line) ? indent + 1 : indent
  for (let i = lines.length - 1; i >= 0 && least > 0; i -= 1) {
    const text = lines[i] ?? ''
    const found = /^(\s*)((?:- +)*)("[^"]*"|'[^']*'|[^\s#:][^:#]*?):(?:\s+(?:[|>&!].*|#.*)?)?$/.exec(text)
    const item = /^(\s*)- /.exec(text)
    const column = indentOf(text)
    if (text.trim() === '' || text.trim().startsWith('#')) continue
    if (found) {
      const keyColumn = (found[1] ?? '').length + (found[2] ?? '').length
      if (keyColumn < least) {
        path.unshift(unquote(found[3] ?? ''))
        least = keyColumn
        if (found[2]) {
          path.unshift('-')
          least = column
        }
        continue
      }
    }
    if (item && column < least) {
      path.unshift('-')
      least = column + 1
    } else if (column < least) least = column
  }
  return path
}

/** Where the line is inside braces: the keys into them, and what is being written. */
function flowOf(line: string): { readonly path: readonly string[]; readonly key: string; readonly typed: string; readonly beside: readonly string[] } | null {
  const stack: { key: string; readonly isList: boolean; readonly beside: string[] }[] = []
  let word = ''
  let key = ''
  let quote = ''
  const outer: string[] = []
  for (const letter of line) {
    if (quote) {
      if (letter === quote) quote = ''
      else word += letter
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '{' || letter === '[') {
      outer.push(key)
      stack.push({ key, isList: letter === '[', beside: [] })
      word = key = ''
    } else if (letter === '}' || letter === ']') {
      stack.pop()
      outer.pop()
      word = key = ''
    } else if (letter === ',') word = key = ''
    else if (letter === ':') {
      key = word.trim().replace(/^- /, '')
      stack.at(-1)?.beside.push(key)
      word = ''
    } else word += letter
  }
  const inside = stack.at(-1)
  if (!inside) return null
  const items = line.match(/^\s*((?:- +)*)/)?.[1]?.match(/- /g)?.map(() => '-') ?? []
  const path = [...items, ...stack.flatMap((each) => [...(each.key ? [each.key] : []), ...(each.isList ? ['-'] : [])])]
  return { path, key, typed: word.trimStart(), beside: inside.beside }
}

function besideOf(text: string, offset: number, indent: number): readonly string[] {
  const lines = text.split('\n')
  const at = text.slice(0, offset).split('\n').length - 1
  const found: string[] = []
  for (const direction of [-1, 1]) {
    for (let i = at + direction; i >= 0 && i < lines.length; i += direction) {
      const line = lines[i] ?? ''
      if (line.trim() === '' || line.trim().startsWith('#')) continue
      const dashes = /^(\s*(?:- +)*)/.exec(line)?.[1] ?? ''
      if (dashes.length < indent) break
      if (dashes.length > indent) continue
      const key = /^[\s-]*("[^"]*"|'[^']*'|[^:#]+?):/.exec(line)?.[1]
      if (key) found.push(unquote(key))
      if (dashes.includes('-')) break
    }
  }
  return found
}

/** The schemas that what a path leads to may be of. */
function resolve(root: Schema, from: Schema, path: readonly string[]): readonly Schema[] {
  return path.reduce<readonly Schema[]>((here, key) => here.flatMap((each) => step(root, each, key)), [from])
}

function step(root: Schema, schema: Schema, key: string): readonly Schema[] {
  return branches(root, schema).flatMap((each) => {
    if (key === '-') return isSchema(each['items']) ? [each['items']] : []
    const properties = each['properties'] as Readonly<Record<string, Schema>> | undefined
    const known = properties?.[key]
    if (known) return [known]
    const others = [each['additionalProperties'], ...Object.values((each['patternProperties'] as object | undefined) ?? {})]
    return others.filter(isSchema)
  })
}

/** What a schema may be: itself, what it refers to, and each of its alternatives. */
function branches(root: Schema, schema: Schema, depth = 0): readonly Schema[] {
  if (depth > 12) return []
  const refers = typeof schema['$ref'] === 'string' ? at(root, schema['$ref']) : null
  const inner = [refers, ...['anyOf', 'oneOf', 'allOf'].flatMap((name) => (schema[name] as readonly unknown[] | undefined) ?? [])]
  return [schema, ...inner.filter(isSchema).flatMap((each) => branches(root, each, depth + 1))]
}

function at(root: Schema, reference: string): unknown {
  return reference.replace(/^#\//, '').split('/').reduce<unknown>((here, key) => (isSchema(here) ? here[key] : undefined), root)
}

function keysOf(root: Schema, schema: Schema): readonly Suggestion[] {
  return branches(root, schema).flatMap((each) => (
    Object.entries((each['properties'] as Readonly<Record<string, Schema>> | undefined) ?? {})
      .map(([label, of]) => ({ label, kind: 'key' as const, about: aboutOf(root, of) }))
  ))
}

function valuesOf(root: Schema, schema: Schema): readonly Suggestion[] {
  return branches(root, schema).flatMap((each) => [
    ...((each['enum'] as readonly unknown[] | undefined) ?? []), ...('const' in each ? [each['const']] : []),
    ...(each['type'] === 'boolean' ? [true, false] : []),
  ].map((value) => ({ label: String(value), kind: 'value' as const, about: aboutOf(root, each) })))
}

function aboutOf(root: Schema, schema: Schema): string {
  return branches(root, schema).map((each) => each['description']).find((each) => typeof each === 'string') ?? ''
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unique(found: readonly Suggestion[]): readonly Suggestion[] {
  return [...new Map(found.toReversed().map((each) => [each.label, each])).values()].toReversed()
}

function indentOf(line: string): number {
  return /^ */.exec(line)?.[0].length ?? 0
}

function unquote(key: string): string {
  return key.trim().replace(/^["']|["']$/g, '')
}
