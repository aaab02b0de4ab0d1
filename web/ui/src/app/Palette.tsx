/** The palette: one field that leads to every page, every journey, and every person by any id. */

import { useQuery } from '@tanstack/react-query'
import { useState, type KeyboardEvent } from 'react'
import { useLocation } from 'wouter'
import { listJourneys } from '../api/journeys'
import { ROUTES } from '../pages/routes'
import { Dialog } from '../parts/Dialog'
import { Icon, type IconName } from '../parts/Icon'
import { personPath } from '../parts/PersonLink'
import { SHELL } from '../text/shell'
import css from './Palette.module.css'

interface Place {
  readonly to: string
  readonly name: string
  readonly kind: string
  readonly icon: IconName
}

export function Palette({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [, go] = useLocation()
  const journeys = useQuery({ queryKey: ['journeys'], queryFn: listJourneys })
  const places = findPlaces(text, (journeys.data ?? []).map((journey) => journey.name))
  const chosen = Math.min(at, places.length - 1)
  const leave = (place: Place | undefined) => {
    if (!place) return
    onClose()
    go(place.to)
  }
  const press = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step && places.length) {
      event.preventDefault()
      setAt((chosen + step + places.length) % places.length)
    } else if (event.key === 'Enter') leave(places[chosen])
  }
  return (
    <Dialog title={SHELL.palette.title} onClose={onClose} isBare>
      <div className={css.field}>
        <Icon name="search" />
        <input
          role="combobox" aria-expanded aria-controls="palette-places" aria-label={SHELL.palette.field} autoFocus
          aria-activedescendant={places.length ? `palette-${chosen}` : undefined} placeholder={SHELL.palette.field}
          value={text} onChange={(event) => { setText(event.target.value); setAt(0) }} onKeyDown={press}
        />
      </div>
      <ul id="palette-places" role="listbox" aria-label={SHELL.palette.title} className={css.places}>
        {places.map((place, i) => (
          <li
            key={place.to} id={`palette-${i}`} role="option" aria-selected={i === chosen} className={css.place}
            onMouseMove={() => setAt(i)} onClick={() => leave(place)}
          >
            <Icon name={place.icon} /><span>{place.name}</span><small>{place.kind}</small>
          </li>
        ))}
      </ul>
      <p className={css.hint}>{places.length ? SHELL.palette.hint : SHELL.palette.nothing}</p>
    </Dialog>
  )
}

/** The places whose name has the text in it; and a person, who may be called anything. */
function findPlaces(text: string, journeys: readonly string[]): readonly Place[] {
  const words = text.trim().toLowerCase()
  const pages = ROUTES.flatMap((route) => (
    route.nav ? [{ to: route.path, name: route.title, kind: SHELL.palette.page, icon: route.nav.icon }] : []
  ))
  const named = journeys.map((name) => (
    { to: `/journeys/${encodeURIComponent(name)}`, name, kind: SHELL.palette.journey, icon: 'journeys' as const }
  ))
  const found = [...pages, ...named].filter((place) => place.name.toLowerCase().includes(words)).slice(0, 12)
  const person = text.trim()
  return person
    ? [...found, { to: personPath(person), name: SHELL.palette.person(person), kind: SHELL.pages.person, icon: 'user' }]
    : found
}
