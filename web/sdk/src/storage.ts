/** Storage: names and texts that outlive the page, and all tabs of the site share; where there is none, memory. */

import type { Settings } from './types'

export interface Store {
  readonly get: (name: string) => string | null
  readonly set: (name: string, text: string) => void
  readonly remove: (name: string) => void
  /** Names that begin so, in their order. */
  readonly names: (head: string) => string[]
  /** How the browser calls a name. */
  readonly nameOf: (name: string) => string
}

/** Open the storage of one write key. What finds no room on disk is kept in memory. */
export function openStore(settings: Settings): Store {
  const prefix = `sojourn_${settings.writeKey}_`
  const memory = new Map<string, string>()
  const disk = settings.storage === 'memory' ? null : usableDisk()
  return {
    get: (name) => memory.get(name) ?? disk?.getItem(prefix + name) ?? null,
    set(name, text) {
      memory.delete(name)
      try {
        if (disk) return disk.setItem(prefix + name, text)
      } catch {
        // full, or taken away meanwhile
      }
      memory.set(name, text)
    },
    remove(name) {
      memory.delete(name)
      disk?.removeItem(prefix + name)
    },
    names: (head) => [...new Set([...memory.keys(), ...namesOn(disk, prefix)])].filter((name) => name.startsWith(head)).sort(),
    nameOf: (name) => prefix + name,
  }
}

/** Read what a text says; null where there is none, or it is no JSON. */
export function readJson<T>(text: string | null): T | null {
  try {
    return text === null ? null : (JSON.parse(text) as T)
  } catch {
    return null
  }
}

function namesOn(disk: Storage | null, prefix: string): string[] {
  if (!disk) return []
  const names = Array.from({ length: disk.length }, (_, index) => disk.key(index) ?? '')
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
}

function usableDisk(): Storage | null {
  try {
    // By a look alone: nothing may be written before there is consent. What cannot be written goes to memory.
    return localStorage.length >= 0 ? localStorage : null
  } catch {
    return null
  }
}
