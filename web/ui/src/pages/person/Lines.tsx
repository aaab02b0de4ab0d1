/** Lines of a story, one below the other, each at its instant and in its tone. */

import { Link } from 'wouter'
import { instant } from '../../parts/format'
import type { Line } from './facts'
import { Judging } from './Judging'
import css from './person.module.css'

export function Lines({ lines, isLinked }: {
  readonly lines: readonly Line[]
  /** Name the journey or the experiment of each line, and link to it. */
  readonly isLinked?: boolean
}) {
  return (
    <ol className={css.lines}>
      {lines.map((line, i) => (
        <li key={i} data-tone={line.tone} data-topic={line.topic}>
          <time className={css.when} dateTime={new Date(line.at).toISOString()}>{instant(line.at)}</time>
          <span className={css.dot} aria-hidden />
          <div className={css.line}>
            <p>
              {isLinked && line.journey && <Link href={`/journeys/${encodeURIComponent(line.journey)}`} className={css.of}>{line.journey}</Link>}
              {isLinked && !line.journey && line.experiment && <Link href={`/experiments/${encodeURIComponent(line.experiment)}`} className={css.of}>{line.experiment}</Link>}
              <span className={css.says}>{line.says}</span>
              {line.because && <span className={css.because}>{line.because}</span>}
            </p>
            <Judging judged={line.judged} />
          </div>
        </li>
      ))}
    </ol>
  )
}
