/** Storage: names and texts that outlive the page, and all tabs of the site share; where there is none, memory. */

import { attempt } from './attempt'
import type { Settings } from './types'

export interface Store {
  readonly get: (name: string) => string | null
  readonly set: (name: string, text: string) => void
  /** As `set`, also where the page itself clears the disk. */
  readonly keep: (name: string, text: string) => void
  readonly remove: (name: string) => void
  /** Names that begin so, in their order. */
  readonly names: (head: string) => string[]
  /** How the browser calls a name. */
  readonly nameOf: (name: string) => string
  /** Take note that another tab has removed what the browser calls so. */
  readonly removedElsewhere: (full: string) => void
}

/**
 * Open the storage of one write key. What finds no room on disk is kept in memory, and so is a copy of what is to stay:
 * pages clear the whole disk as somebody signs out. Where both have a text the disk's counts, as other tabs write there.
 */
export function openStore(settings: Settings): Store {
  const prefix = `sojourn_${settings.writeKey}_`
  const memory = new Map<string, string>()
  const disk = settings.storage === 'memory' ? null : usableDisk()
  const set = (name: string, text: string) => {
    memory.delete(name)
    if (attempt(() => (disk!.setItem(prefix + name, text), true))) return
    memory.set(name, text)
    attempt(() => disk!.removeItem(prefix + name)) // an older text
  }
  return {
    get: (name) => attempt(() => disk?.getItem(prefix + name)) ?? memory.get(name) ?? null,
    set,
    keep(name, text) {
      set(name, text)
      memory.set(name, text)
    },
    remove(name) {
      memory.delete(name)
      attempt(() => disk?.removeItem(prefix + name))
    },
    names: (head) => {
      const onDisk = attempt(() => namesOn(disk, prefix)) ?? []
      return [...new Set([...memory.keys(), ...onDisk])].filter((name) => name.startsWith(head)).sort()
    },
    nameOf: (name) => prefix + name,
    removedElsewhere: (full) => memory.delete(full.slice(prefix.length)),
  }
}

/** Read what a text says; null where there is none, or it is no JSON. */
export function readJson<T>(text: string | null): T | null {
  return attempt(() => JSON.parse(text ?? 'null') as T | null) ?? null
}

function namesOn(disk: Storage | null, prefix: string): string[] {
  if (!disk) return []
  const names = Array.from({ length: disk.length }, (_, index) => disk.key(index) ?? '')
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
}

function usableDisk(): Storage | null {
  // By a look alone: nothing may be written before there is consent.
  return attempt(() => (localStorage.length >= 0 ? localStorage : null)) ?? null
}
