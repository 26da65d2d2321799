"""Words that say nothing about what a text is about: English, German, French and Spanish ones."""

from __future__ import annotations

COMMON_WORDS = """
a about above after again all also am an and any are as at be because been before being below between both but by can
could did do does doing done down during each few for from further get give got had has have having he her here hers
him his how i if in into is it its just let like long many may me might more most much must my need no nor not of off
often on once only or other our ours out over own please same shall she should show so some such tell than that the
their theirs them then there these they this those through to too under until up us use very was we were what when
where which while who whom whose why will with would you your yours aber alle als auch auf aus bei bin bis bist da
damit dann das dass dein dem den der des dich die dir doch du ein eine einem einen einer eines er es für hat hatte
haben ich ihr im ist ja kann kannst können man mein mich mir mit muss nach nicht noch nur ob oder sein seine sich sie
sind soll über um und uns unser viel viele vom von vor war waren warum welche welcher welches wenn wer wie wieviel wir
wird wo zu zum zur au aux avec ce ces cette comme combien dans de elle en est et être eux il ils je la le les leur lui
ma mais mes moi mon ne nos notre nous où par pas pour pourquoi quand que quel quelle quelles quels qui sa se ses son
sont sur ta te tes toi ton tu un une vos votre vous al como con cual cuando cuánto del donde el ella ellos entre esta
este esto hay las lo los más mi muy o para pero por qué quién ser si sin sobre su sus también una y yo
hello hey hi thanks thank bitte danke hallo bonjour merci hola gracias
"""
