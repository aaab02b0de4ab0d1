/** The studio's door: puts the application into the page. */

import './styles/tokens.css'
import './styles/base.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/App'
import { applyTheme } from './parts/theme'

applyTheme()
createRoot(document.getElementById('root') as HTMLElement).render(<StrictMode><App /></StrictMode>)
