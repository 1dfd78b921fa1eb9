/** Words that say nothing about what a question is after, in the languages of most documents. Function words only. */
const LISTS = {
  en:
    'a about above after again all also am an and any are aren as at be because been before being below between both but by can cannot could couldn did ' +
    'didn do does doesn doing don down during each few for from further give had has hasn have haven having he her here hers him his how i if in into is ' +
    'isn it its itself just let ll m many may me might more most much must my no nor not of off on once one only or other our ours out over own please ' +
    're s same say says she should shouldn so some such t tell than that the their theirs them then there these they this those through to too under ' +
    'until up us ve very was wasn we were weren what when where which while who whom whose why will with won would wouldn you your yours according ' +
    'document documents text passage mention mentioned show explain describe does',
  de:
    'aber alle als am an auch auf aus bei beim bis da damit das dass dem den der des die dies diese dieser dieses doch du durch ein eine einem einen einer eines ' +
    'er es für hat haben ich ihr im in ist ja kann kein keine man mehr mich mir mit nach nicht noch nur ob oder ohne sehr sein seine sich sie sind so über um ' +
    'und uns unter vom von vor wann war waren warum was welche welcher welches wenn wer werden wie wieviel wird wo wurde wurden zu zum zur',
  fr:
    'au aux avec ce ces cette dans de des du elle en est et eux il ils je la le les leur lui ma mais me même mes moi mon ne nos notre nous on ou où par pas ' +
    'pour qu quand que quel quelle quels quelles qui sa se ses son sont sur ta te tes toi ton tu un une vos votre vous combien comment pourquoi',
  es:
    'al como con cuál cuáles cuando cuándo cuánto cuántos de del desde donde dónde el ella ellos en entre era es esta este esto fue ha hay la las lo los más me mi no ' +
    'nos o para pero por porque qué que quién se ser si sin sobre son su sus también te tiene un una y ya',
};

const STOP_WORDS = new Set(Object.values(LISTS).flatMap((list) => list.split(' ')));

export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word);
}
