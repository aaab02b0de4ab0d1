/** CSV: rows as a file that spreadsheets read, and that runs nothing there. */

export type Cell = string | number | boolean | null | undefined

/** Write rows as RFC 4180 says.
 *
 * A text that a spreadsheet would run as a formula is written behind an apostrophe: names of events are
 * whatever somebody sent.
 */
export function writeCsv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((row) => row.map(writeCell).join(',')).join('\r\n') + '\r\n'
}

/** Let the browser save rows under a name. */
export function downloadCsv(name: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const address = URL.createObjectURL(new Blob([writeCsv(columns, rows)], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = address
  link.download = `${name}.csv`
  link.click()
  URL.revokeObjectURL(address)
}

function writeCell(cell: Cell): string {
  if (cell === null || cell === undefined) return ''
  const text = typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
