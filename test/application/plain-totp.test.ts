import { totpContract } from '../contracts/totp.contract.ts'
import { PlainTotp } from '../doubles/plain-totp.ts'

totpContract('plain', () => new PlainTotp())
