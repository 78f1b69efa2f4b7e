// Each saved report of tests/fixtures/reports, in the formats whose readers are written in JavaScript.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { EOL } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as core from '@actions/core'
import { parse } from 'junit2json'
import { validateXML } from 'xmllint-wasm'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const schema = readFileSync(`${fixtures}schemas/junit-10.xsd`, 'utf8')
const names = readdirSync(`${fixtures}reports`).filter((name) => name.endsWith('.json'))
const render = (name, format) =>
  execFileSync(process.env.REHEARSE, ['report', `${fixtures}reports/${name}`, '--format', format], { encoding: 'utf8' })

test('there are reports', () => assert.ok(names.length > 5))

for (const name of names) {
  const saved = JSON.parse(readFileSync(`${fixtures}reports/${name}`, 'utf8'))

  test(`${name}: JUnit is valid by Jenkins' schema`, async () => {
    const { valid, errors } = await validateXML({ xml: [{ fileName: name, contents: render(name, 'junit') }], schema: [schema] })
    assert.ok(valid, JSON.stringify(errors.slice(0, 5), null, 1))
  })

  test(`${name}: a reader of JUnit finds every migration and every table`, async () => {
    const report = await parse(render(name, 'junit'))
    const suites = report.testsuite
    const cases = suites.flatMap((suite) => suite.testcase ?? [])
    assert.equal(cases.length, report.tests)
    assert.equal(cases.filter((one) => one.failure).length, report.failures)
    assert.equal(cases.filter((one) => one.error).length, report.errors)
    assert.equal(suites.filter((suite) => suite.name !== 'tables' && suite.name !== 'rehearsal').length, saved.plan.pending.length)
    const tables = suites.find((suite) => suite.name === 'tables')?.testcase ?? []
    assert.equal(tables.length, saved.tables.length)
  })

  test(`${name}: GitHub's toolkit writes the same commands`, () => {
    const lines = render(name, 'github').split('\n').filter((line) => line.startsWith('::'))
    const unescape = (text, pairs) => pairs.reduce((done, [escape, sign]) => done.replaceAll(escape, sign), text)
    const data = [['%0D', '\r'], ['%0A', '\n'], ['%25', '%']]
    const property = [['%3A', ':'], ['%2C', ','], ...data]
    const write = process.stdout.write
    for (const line of lines) {
      const [, command, properties, message] = /^::(\w+) (.*?)::(.*)$/.exec(line)
      const given = Object.fromEntries(properties.split(',').map((pair) => {
        const at = pair.indexOf('=')
        return [pair.slice(0, at), unescape(pair.slice(at + 1), property)]
      }))
      let written = ''
      process.stdout.write = (text) => { written += text; return true }
      try {
        core[command](unescape(message, data), {
          title: given.title,
          file: given.file,
          startLine: given.line && Number(given.line),
          startColumn: given.col && Number(given.col)
        })
      } finally {
        process.stdout.write = write
      }
      const parts = (text) => {
        const [, name, list, rest] = /^::(\w+) (.*?)::(.*)$/.exec(text)
        return { name, properties: list.split(',').sort(), rest }
      }
      assert.deepEqual(parts(written.slice(0, -EOL.length)), parts(line))
    }
  })
}
