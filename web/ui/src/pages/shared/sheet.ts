/** A table as it is saved: the names of its columns, and its rows in their order. */

import type { Cell } from '../../parts/csv'

export interface Sheet {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}
