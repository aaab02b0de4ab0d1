/** The browser SDK: what a page calls. */

export const VERSION = '0.0.0'
