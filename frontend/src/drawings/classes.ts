/** What a drawing shows: plants of one class look alike from across a room. */
export type DrawingClass =
  | "monstera" | "broadleaf" | "prayer" | "coins" | "rosette" | "echeveria" | "jade" | "cactus" | "fern" | "palm" | "tuft"
  | "grass" | "rods" | "sword" | "orchid" | "lily" | "flamingo" | "flowering" | "fiddle" | "tree" | "umbrella" | "vine"
  | "pearls" | "herb" | "spikes" | "vegetable" | "carnivorous" | "seedling";

/**
 * Words of scientific and common names, in English and German, whole or as the end of a longer word ("Kentiapalme").
 * The first class with a word that fits wins, so what is special stands before what is general.
 */
const words: readonly (readonly [DrawingClass, string])[] = [
  ["sword", "trifasciata sansevieria angolensis sanseveria snake bogenhanf"],
  ["carnivorous", "dionaea nepenthes sarracenia drosera flytrap pitcher sundew venusfliegenfalle kannenpflanze sonnentau"],
  ["cactus", "cactus cacti kaktus cereus opuntia mammillaria echinocactus echinopsis ferocactus gymnocalycium astrophytum rebutia parodia schlumbergera rhipsalis euphorbia"],
  ["pearls", "rowleyanus rowleyana curio pearls erbsenpflanze perlenkette ceropegia dischidia"],
  ["echeveria", "echeveria sempervivum graptopetalum graptoveria pachyphytum aeonium sedum snowball hauswurz lithops"],
  ["rosette", "aloe haworthia haworthiopsis agave gasteria gonialoe aristaloe succulent sukkulente ananas pineapple guzmania tillandsia bromelia bromeliad"],
  ["jade", "crassula portulacaria cotyledon adenium jade geldbaum pfennigbaum affenbrotbaum"],
  ["orchid", "phalaenopsis orchid orchidee dendrobium cymbidium oncidium vanda cattleya paphiopedilum"],
  ["lily", "spathiphyllum einblatt zantedeschia calla"],
  ["flamingo", "anthurium flamingo flamingoblume"],
  ["rods", "zamioculcas zz glücksfeder"],
  ["fern", "fern farn adiantum asplenium nephrolepis platycerium blechnum davallia pteris polypodium phlebodium asparagus cyathea dicksonia"],
  ["tuft", "beaucarnea yucca marginata dragon drachenbaum ponytail elefantenfuß dracaena cordyline pandanus"],
  ["palm", "palm palme chamaedorea howea dypsis areca kentia phoenix cycas trachycarpus livistona rhapis"],
  ["grass", "chlorophytum spider grünlilie ophiopogon carex grass gras cyperus papyrus schnittlauch chives allium"],
  ["prayer", "calathea goeppertia maranta ctenanthe stromanthe fittonia prayer nerve begonia tradescantia korbmarante mosaikpflanze coleus buntnessel"],
  ["coins", "pilea peperomia oxalis shamrock hydrocotyle ufopflanze glücksklee money-plant ginkgo"],
  ["vine", "epipremnum pothos scindapsus hedera ivy efeu efeutute hederaceum scandens syngonium hoya vine vitis passiflora jasminum jasmine jasmin"],
  ["monstera", "monstera rhaphidophora philodendron thaumatophyllum fensterblatt cheese"],
  ["umbrella", "schefflera heptapleurum pachira umbrella strahlenaralie glückskastanie fatsia aralia"],
  ["fiddle", "lyrata elastica fiddle rubber gummibaum geigenfeige plumeria"],
  ["vegetable", "tomato tomate solanum lycopersicum pepper paprika chili capsicum bean bohne phaseolus cucumber gurke cucumis strawberry erdbeere fragaria aubergine vegetable gemüse"],
  ["spikes", "lavandula lavender lavendel salvia rosmarinus rosemary rosmarin thymus thyme thymian"],
  ["herb", "ocimum basil basilikum mentha mint minze petroselinum parsley petersilie origanum oregano melissa coriandrum coriander koriander cilantro sage salbei dill herb kraut kräuter stevia tea"],
  ["tree", "ficus fig feige olea olive codiaeum croton citrus lemon zitrone orange coffea coffee kaffee bonsai tree baum camellia laurus lorbeer persea avocado bambusa bamboo bambus myrtus"],
  ["flowering", "cyclamen alpenveilchen streptocarpus saintpaulia violet usambaraveilchen kalanchoe katy pelargonium geranium geranie hibiscus rose rosa primula hydrangea hortensie viola tulipa impatiens gardenia azalea rhododendron flower blume"],
  ["broadleaf", "aglaonema aspidistra dieffenbachia strelitzia musa banana banane alocasia colocasia caladium corn canna paradise cast-iron schusterpalme"],
];

/** "Corn plant" is *Dracaena fragrans*; these two-word names would be taken for something else word by word. */
const names: Readonly<Record<string, DrawingClass>> = {
  "chinese money plant": "coins", "corn plant": "tuft", "peace lily": "lily", "giant bird of paradise": "broadleaf",
  "bird of paradise": "broadleaf", "wax plant": "vine", "arrowhead plant": "vine", "chinese evergreen": "broadleaf",
  "dumb cane": "broadleaf", "never-never plant": "prayer", "silver inch plant": "prayer", "string of pearls": "pearls",
  "money tree": "umbrella", "dragon tree": "tuft", "cast-iron plant": "broadleaf", "swiss cheese plant": "monstera",
  "heartleaf philodendron": "vine", "fiddle-leaf fig": "fiddle", "baby rubber plant": "coins",
};

/** Which drawing fits a plant by the text somebody wrote as its species, and another name of it if there is one. */
export function drawingClass(species: string | null | undefined, otherName?: string | null): DrawingClass {
  for (const text of [species, otherName]) {
    const name = text?.trim().toLowerCase();
    if (!name) continue;
    const known = names[name];
    if (known) return known;
    const parts = name.split(/[^\p{L}-]+/u).filter((part) => part !== "");
    for (const [kind, list] of words) {
      const fits = list
        .split(" ")
        .some((word) => parts.some((part) => part === word || (word.length > 3 && part.endsWith(word))));
      if (fits) return kind;
    }
  }
  return "seedling";
}
