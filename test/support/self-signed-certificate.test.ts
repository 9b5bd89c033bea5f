import { X509Certificate } from 'node:crypto'
import test from 'ava'
import { selfSignedCertificate } from '../doubles/self-signed-certificate.ts'

test('a certificate can be read, however long its name and its signature are', (t) => {
  for (let length = 1; length <= 60; length += 1) {
    t.notThrows(() => new X509Certificate(selfSignedCertificate('a'.repeat(length)).cert), `${length}`)
  }
})
