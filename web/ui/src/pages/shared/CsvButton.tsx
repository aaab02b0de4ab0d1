/** Saves a sheet that is drawn as something else than a table. */

import { Button } from '../../parts/Button'
import { downloadCsv } from '../../parts/csv'
import { COMMON } from '../../text/common'
import type { Sheet } from './sheet'

export function CsvButton({ name, sheet }: { readonly name: string; readonly sheet: Sheet }) {
  return (
    <Button look="quiet" isSmall icon="download" title={COMMON.downloadHint} onClick={() => downloadCsv(name, sheet.columns, sheet.rows)}>
      {COMMON.download}
    </Button>
  )
}
