/** The studio's door: puts the application into the page. */

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

createRoot(document.getElementById('root')!).render(<StrictMode><main>Sojourn</main></StrictMode>)
