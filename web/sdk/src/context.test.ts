import { expect, test } from 'vitest'
import { campaignOf, cleanUrl } from './context'

test('a campaign has what the link says, and whose click id it carries', () => {
  const link = 'https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=May&utm_id=7&gclid=a&FBCLID=b&ttclid=&x=1'
  expect(campaignOf(link)).toEqual({ source: 'news', medium: 'email', name: 'May', id: '7', gclid: 'a', fbclid: 'b' })
  expect(campaignOf('https://shop.example/?x=1')).toBeNull()
  expect(campaignOf('no address')).toBeNull()
})

test('the first of equal names counts, and what is long is cut', () => {
  expect(campaignOf('https://a.example/?utm_source=one&utm_source=two')).toEqual({ source: 'one' })
  expect(campaignOf(`https://a.example/?utm_source=${'x'.repeat(2_000)}`)!['source']).toHaveLength(512)
})

test('an address goes without credentials, and without a fragment that is no route', () => {
  expect(cleanUrl('https://user:secret@shop.example/a?b=1#access_token=abc')).toBe('https://shop.example/a?b=1')
  expect(cleanUrl('https://shop.example/#/cart')).toBe('https://shop.example/#/cart')
  expect(cleanUrl('file:///tmp/a.html#x')).toBe('file:///tmp/a.html')
})

test('an address goes without what only its owner should know', () => {
  expect(cleanUrl('https://shop.example/a?reset_token=abc&plan=pro&email=ada%40example.com#/b?Session=1&x=2')).toBe(
    'https://shop.example/a?reset_token=***&plan=pro&email=***#/b?Session=***&x=2',
  )
  expect(campaignOf(cleanUrl('https://a.example/?utm_source=news&utm_content=ada@example.com&mkt_tok=1'))).toEqual({
    source: 'news',
    content: '***',
    mkt_tok: '1',
  })
})
