/** Where an editor lives: in a shadow root, whose styles are sheets and no `<style>` elements.
 *
 * In the page itself CodeMirror would write `<style>` elements, which the content security policy forbids.
 */

export function shadowOf(host: HTMLElement): { readonly root: ShadowRoot; readonly mount: HTMLElement } {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  root.replaceChildren()
  const mount = document.createElement('div')
  mount.style.height = '100%'
  root.append(mount)
  return { root, mount }
}
