import { beforeEach, describe as group, expect, test } from 'vitest'
import { describe, describeField, formOf, isSensitive, isStepper, meant, targetOf, textOf } from './describe'

function page(html: string): void {
  document.body.innerHTML = html
}

function find(selector: string): Element {
  return document.querySelector(selector)!
}

beforeEach(() => page(''))

group('what an event says of an element', () => {
  test('which it is, and the words on it', () => {
    page('<main><button class="buy large x9f8e7"><b> Add to\n cart </b></button></main>')
    expect(describe(meant(find('b'))!)).toEqual({ target: 'body > main > button.buy.large', tag: 'button', text: 'Add to cart' })
  })

  test('its own name, where it has one, or the nearest id that a person gave', () => {
    page('<div data-sojourn-name="Buy box"><button>Buy</button></div><form id="signup"><p><a id="x-12345">Go</a></p></form>')
    expect(targetOf(find('button'))).toBe('Buy box')
    expect(targetOf(find('a'))).toBe('form#signup > p > a')
  })

  test('where a link leads, without its query', () => {
    page('<a href="https://shop.example/reset?token=abc#top">Reset</a><a href="mailto:ada@example.com">Write</a>')
    expect(describe(find('a'))['href']).toBe('https://shop.example/reset')
    expect(describe(find('a:last-child'))['href']).toBe('mailto:')
  })
})

group('what an event never says', () => {
  test.each([
    '<input value="Ada">',
    '<textarea>Ada</textarea>',
    '<select><option selected>Ada</option></select>',
    '<button data-sojourn-mask>Ada</button>',
    '<div data-sojourn-mask><button>Ada</button></div>',
    '<button>Hello <span data-sojourn-mask>Ada</span></button>',
    '<label>Name <input value="Ada"></label>',
    '<div contenteditable><a>Ada</a></div>',
    '<p onclick="x()">Ada</p>',
    '<button>ada@example.com</button>',
    '<button>Card 4242 4242 4242 4242</button>',
  ])('the text of %s', (html) => {
    page(html)
    const touched = find('input,textarea,select,button,label,a,p')
    expect(JSON.stringify({ ...describe(touched), ...describeField(touched) })).not.toMatch(/Ada|example\.com|4242/i)
  })

  test('the name of a field for what is secret', () => {
    page('<input type="password" name="my-pin"><input autocomplete="cc-number" name="n1"><input name="city">')
    const [password, card, city] = [...document.querySelectorAll('input')]
    expect([password, card, city].map((field) => isSensitive(field!))).toEqual([true, true, false])
    expect(describeField(password!)).toEqual({ target: 'input', tag: 'input', type: 'password' })
    expect(describeField(city!)['target']).toBe('body > input[name=city]')
  })

  test('the name of a secret field, also where it is clicked', () => {
    page('<form><input type="password" name="my-pin"><input id="card-number"><button id="account-menu">Account</button></form>')
    const [password, card] = [...document.querySelectorAll('input')]
    expect([password, card, find('button')].map((each) => describe(each!)['target'])).toEqual(['input', 'input', 'button#account-menu'])
  })

  test('words and names inside a mask: not in a target, an address, or the name of a form', () => {
    page('<div data-sojourn-mask><a id="ada" href="/people/ada" aria-label="Ada">Ada</a><form id="ada-form"><button name="ada">+</button></form></div>')
    const told = [describe(find('a')), describe(find('button')), formOf(find('form') as HTMLFormElement)]
    expect(JSON.stringify(told)).not.toMatch(/ada/i)
  })

  test('anything of what is ignored', () => {
    page('<div data-sojourn-ignore><button>Buy</button></div>')
    expect(meant(find('button'))).toBeNull()
  })
})

test('several clicks on a stepper are meant', () => {
  page('<button>+</button><button aria-label="Next picture">x</button><input type="number"><button>Buy</button>')
  const [plus, next, buy] = [...document.querySelectorAll('button')]
  expect([plus, next, find('input'), buy].map((each) => isStepper(each!))).toEqual([true, true, true, false])
})

test('a form is named by itself, also where a field is called as its property', () => {
  page('<form id="checkout"><input name="id"></form>')
  expect(formOf(find('form') as HTMLFormElement)).toBe('checkout')
})

test('long words are cut, and no sign of them in two', () => {
  page(`<button>${'x'.repeat(500)}</button><a>${'x'.repeat(63)}\u{1f600}</a>`)
  expect(textOf(find('button'))).toHaveLength(64)
  expect(textOf(find('a'))).toBe('x'.repeat(63))
})
