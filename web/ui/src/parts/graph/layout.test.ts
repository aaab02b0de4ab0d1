import ELK from 'elkjs/lib/elk.bundled.js'
import { expect, test } from 'vitest'
import { asElk, readLayout, type LayoutTask } from './layout'

const node = (id: string, column: number) => ({ id, column, width: 100, height: 40 })

test('a step stands in its column, also where nothing ties it to the columns before', async () => {
  const task: LayoutTask = {
    direction: 'RIGHT', style: 'flow',
    nodes: [node('Home', 0), node('View', 1), node('Pay', 2), node('Buy', 3), node('Help', 3)],
    edges: [{ id: '1', source: 'Home', target: 'View' }, { id: '2', source: 'Pay', target: 'Buy' }],
  }
  const { nodes } = readLayout(await new ELK().layout(asElk(task)))
  const x = (id: string) => nodes.get(id)?.x ?? -1
  expect([x('Home') < x('View'), x('View') < x('Pay'), x('Pay') < x('Buy'), x('Help') === x('Buy')]).toEqual([true, true, true, true])
})
