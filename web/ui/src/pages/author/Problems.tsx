/** What is wrong in the text; a click goes there. */

import { Badge } from '../../parts/Badge'
import type { ProblemView } from '../../api/schema'
import { AUTHOR } from '../../text/author'
import css from './Author.module.css'

export function Problems({ problems, isChecked, onPick }: {
  readonly problems: readonly ProblemView[]
  readonly isChecked: boolean
  readonly onPick: (line: number) => void
}) {
  if (problems.length === 0) {
    return (
      <div className={css.fine}>
        <span role="status">{isChecked ? AUTHOR.problems.ok : ''}</span>
        <small className={css.faint}>{AUTHOR.leave}</small>
      </div>
    )
  }
  return (
    <ul className={css.problems} aria-label={AUTHOR.problems.title}>
      {problems.map((problem, i) => (
        <li key={`${problem.line} ${problem.column} ${problem.code} ${i}`}>
          <button type="button" onClick={() => onPick(problem.line)} title={AUTHOR.problems.at(problem.line, problem.column)}>
            <Badge tone={problem.severity === 'error' ? 'bad' : 'warn'}>{problem.line}:{problem.column}</Badge>
            <span>{problem.message}</span>
            <code>{problem.code}</code>
          </button>
        </li>
      ))}
    </ul>
  )
}
