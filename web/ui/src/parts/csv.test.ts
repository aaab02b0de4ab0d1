import { expect, test } from 'vitest'
import { writeCsv } from './csv'

test('cells with commas, quotes and line ends are quoted', () => {
  expect(writeCsv(['a', 'b'], [['x,y', 'say "no"'], [null, 3]])).toBe('a,b\r\n"x,y","say ""no"""\r\n,3\r\n')
})

test('an event named as a formula is no formula in a spreadsheet, and a negative number stays one', () => {
  expect(writeCsv(['a'], [['=HYPERLINK(1)'], [-4]])).toBe("a\r\n'=HYPERLINK(1)\r\n-4\r\n")
})
