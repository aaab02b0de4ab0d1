/** The mark: a way from one step to the next, with one that was not taken. */
export function Logo({ size = 22 }: { readonly size?: number }) {
  return <img src="/studio/icon.svg" width={size} height={size} alt="" />
}
