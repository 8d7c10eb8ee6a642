# Finds an application by its variable, as Plek does.
module Plek
  class NoConfigurationError < StandardError; end

  def self.find(name)
    variable = "PLEK_SERVICE_#{name.upcase.tr('-', '_')}_URI"
    ENV.fetch(variable) { raise NoConfigurationError, "Expected #{variable} to be set: #{ENV.to_h}" }
  end
end
